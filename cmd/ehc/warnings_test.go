package main

import (
	"strings"
	"testing"

	"ehc/state/disk"
	"ehc/state/spec"
)

type fakeStore struct {
	lost   uint64
	onRoot bool
	cut    disk.Cut
	where  string
}

func (f fakeStore) Lost() uint64 { return f.lost }
func (f fakeStore) OnRoot() bool { return f.onRoot }

func (f fakeStore) Cut() disk.Cut { return f.cut }

func (f fakeStore) Fleeting() string { return f.where }

func TestWarningsOfTheDataFolder(t *testing.T) {
	for name, c := range map[string]struct {
		machine string
		store   fakeStore
		want    []string
	}{
		"none":                            {"", fakeStore{}, nil},
		"elsewhere than on Fly":           {"", fakeStore{onRoot: true}, nil},
		"on a Fly machine's own disk":     {"683d314f", fakeStore{onRoot: true}, []string{"/data is not on a volume"}},
		"on a volume":                     {"683d314f", fakeStore{}, nil},
		"in memory":                       {"", fakeStore{where: "in memory"}, []string{"/data is in memory"}},
		"in memory, on a Fly machine":     {"683d314f", fakeStore{onRoot: true, where: "in memory"}, []string{"/data is in memory"}},
		"a crash has torn a commit":       {"", fakeStore{cut: disk.Cut{Bytes: 4000, Commits: 1}}, nil},
		"the log is damaged":              {"", fakeStore{cut: disk.Cut{Bytes: 90_000, Commits: 4}}, []string{"last 90000 bytes of the log"}},
		"the log is damaged, as is known": {"", fakeStore{lost: 4, cut: disk.Cut{Bytes: 90_000, Commits: 4}}, []string{"lacks its last 4 commits"}},
		"commits are lost":                {"", fakeStore{lost: 3}, []string{"/data lacks its last 3 commits"}},
		"both, with what is lost already": {"683d314f", fakeStore{lost: 3, onRoot: true}, []string{"last 3 commits", "not on a volume"}},
	} {
		lookup := func(name string) (string, bool) { return c.machine, c.machine != "" && name == "FLY_MACHINE_ID" }
		got := daemon{data: "/data", env: spec.Env{Lookup: lookup}}.warnings(c.store)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, text := range c.want {
			if !strings.Contains(got[i], text) {
				t.Errorf("%s: %q does not contain %q", name, got[i], text)
			}
		}
	}
}
