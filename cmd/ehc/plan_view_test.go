package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
)

// golden compares got with a file in testdata/golden, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestPlanText(t *testing.T) {
	everything := api.Plan{
		Index: 418,
		Actions: []api.Action{
			{Kind: "prune", Node: "billing-01HX@fdaa:0:1::7", App: "billing", Reason: "no longer listed for 31s"},
			{Kind: "connect", Node: "billing-01J0@fdaa:0:1::9", App: "billing", Reason: "listed, not connected"},
			{Kind: "connect", Node: "é@fdaa::1", App: "billing", Reason: "listed, not connected"},
			{Kind: "resync", Node: "search-01HZ@fdaa:0:1::4", App: "search", Reason: "new incarnation"},
			{Kind: "drain", Node: "search-01HY@fdaa:0:1::3", App: "search", Reason: "3 events waiting"},
		},
		Held: []api.Hold{
			{Node: "media-01HW@fdaa:0:1::5", App: "media", Reason: "query media.internal failed: SERVFAIL from [fdaa::3]:53"},
			{Node: "media-01HV@fdaa:0:1::6", App: "media", Reason: "2 of 3 live nodes would go; at most 0.5 may", Prune: true},
		},
		RestartRequired: []string{"node.name"},
		Warnings:        []string{"peer \"old\" has no query"},
	}
	changed := everything
	changed.Generation = 4
	changed.Changes = []api.Change{
		{Op: "change", Block: "node", Settings: []string{"name", "cookie"}},
		{Op: "add", Block: `peer "x"`},
		{Op: "change", Block: `peer "y"`, Settings: []string{"queries", "match"}},
		{Op: "remove", Block: `peer "z"`},
	}
	changed.Probes = []api.Probe{
		{Node: "billing-01J0@fdaa:0:1::9", OK: true, Message: "would connect"},
		{Node: "é@fdaa::1", Reason: "CookieRejected", Message: "would not connect: cookie rejected"},
	}
	hostile := api.Plan{Index: 1, Actions: []api.Action{
		{Kind: "connect", Node: "a\x1b]0;x\x07@h", App: "x", Reason: "line\nbreak\tand \u202etext"},
	}}
	for name, v := range map[string]planView{
		"everything":           {plan: everything},
		"everything-in-colour": {plan: everything, paint: true},
		"of-a-file":            {plan: everything, config: "my cluster's.hcl"},
		"saved":                {plan: everything, config: "cluster.hcl", saved: "change.plan"},
		"offline":              {plan: everything, config: "cluster.hcl", offline: true},
		"nothing":              {plan: api.Plan{Index: 7}},
		"nothing-of-a-file":    {plan: api.Plan{Index: 7, Changes: []api.Change{{Op: "remove", Block: `peer "billing"`}}}, config: "cluster.hcl"},
		"held-of-a-file":       {plan: api.Plan{Index: 7, Held: everything.Held, Changes: []api.Change{{Op: "remove", Block: `peer "billing"`}}}, config: "cluster.hcl"},
		"file-in-force":        {plan: api.Plan{Index: 7}, config: "cluster.hcl"},
		"held-only":            {plan: api.Plan{Index: 7, Held: everything.Held}},
		"hostile":              {plan: hostile},
		"changes":              {plan: changed, config: "cluster.hcl"},
		"changes-in-colour":    {plan: changed, config: "cluster.hcl", paint: true},
		"target":               {plan: api.Plan{Index: 7, Target: "billing"}, config: "cluster.hcl"},
	} {
		t.Run(name, func(t *testing.T) { golden(t, "plan-"+name+".txt", v.text()+v.next()) })
	}
}
