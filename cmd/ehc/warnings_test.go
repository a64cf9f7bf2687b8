package main

import (
	"strings"
	"testing"

	"ehc/state/spec"
)

type fakeStore struct {
	lost   uint64
	onRoot bool
}

func (f fakeStore) Lost() uint64 { return f.lost }
func (f fakeStore) OnRoot() bool { return f.onRoot }

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
		"commits are lost":                {"", fakeStore{lost: 3}, []string{"/data lacks its last 3 commits"}},
		"both, with what is lost already": {"683d314f", fakeStore{3, true}, []string{"last 3 commits", "not on a volume"}},
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
