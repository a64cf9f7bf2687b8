package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
)

func TestAStalePlanNamesWhatHasMoved(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	was := api.Plan{
		Index: 8, Generation: 4, StartedAt: start,
		Changes: []api.Change{{Op: "change", Block: `peer "x"`, Settings: []string{"queries"}}},
		Actions: []api.Action{{Kind: "prune", Node: "a@h"}, {Kind: "connect", Node: "b@h"}},
		Held:    []api.Hold{{Node: "c@h", Reason: "backing off"}},
	}
	is := api.Plan{
		Index: 9, Generation: 5, StartedAt: start,
		Changes: []api.Change{{Op: "remove", Block: `peer "y"`}},
		Actions: []api.Action{{Kind: "connect", Node: "b@h"}, {Kind: "connect", Node: "d@h"}},
		Held:    []api.Hold{{Node: "a@h", Reason: "suspended"}}, Suspended: []string{"x"},
	}
	want := []string{
		"another file was put in force: generation 4, now 5",
		`the file would now remove peer "y"`,
		`the file would no longer change peer "x" queries`,
		"now to do: connect d@h", "no longer to do: prune a@h",
		"now held: a@h (suspended)", "no longer held: c@h (backing off)",
		"suspended: x",
	}
	if d := cmp.Diff(want, movedSince(was, is)); d != "" {
		t.Error(d)
	}
	if got := stale(was, is).Error(); !strings.HasPrefix(got, "the plan was made at index 8, and the controller is at 9: plan again. Since then:\n  another file") {
		t.Error(got)
	}
	same := was
	same.Index = 9
	if got := stale(was, same).Error(); !strings.HasSuffix(got, "what it would do is still the same, but its facts are not") {
		t.Error(got)
	}
	same.StartedAt = start.Add(time.Hour)
	if got := stale(was, same).Error(); !strings.HasPrefix(got, "the controller has been started anew since the plan was made: plan again") {
		t.Error(got)
	}
}

func TestWhatTheFilePrunesLaterNeedsApproval(t *testing.T) {
	later := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	held := []api.Hold{{Node: "a@h", App: "x", PruneAt: later}, {Node: "b@h", App: "x", Prune: true}, {Node: "c@h", App: "y", PruneAt: later}}
	gone := []api.Change{{Op: "remove", Block: `peer "x"`}}
	prune := []api.Action{{Kind: "prune", Node: "d@h", App: "y"}}
	for name, c := range map[string]struct {
		plan api.Plan
		all  bool
		want string
	}{
		"nodes that go because of DNS do not":  {plan: api.Plan{Held: held}},
		"nodes of a block that is removed do":  {plan: api.Plan{Held: held, Changes: gone}, want: "This cuts the connection to 1 node after the grace."},
		"a change of other blocks does not":    {plan: api.Plan{Held: held, Changes: []api.Change{{Op: "add", Block: `peer "z"`}}}},
		"a prune does":                         {plan: api.Plan{Actions: prune}, want: "This cuts the connection to 1 node."},
		"both do":                              {plan: api.Plan{Held: held, Changes: gone, Actions: prune}, want: "This cuts the connection to 1 node, and to 1 node after the grace."},
		"so does what a guard holds, if asked": {plan: api.Plan{Held: held}, all: true, want: "This cuts the connection to 1 node."},
	} {
		a := applyCommand{pruneHeld: c.all}
		if got := a.question(c.plan); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOnATerminalALineIsDrawnOver(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	s := &streams{out: &out, isTTY: true, now: func() time.Time { return start.Add(time.Second) }}
	p := newProgress(s, nil, api.Plan{Actions: []api.Action{{Kind: "connect", Node: "a@h", App: "x"}}}, start)
	p.draw(1)
	if err := p.tell(api.Status{Nodes: []api.Node{{Node: "a@h", App: "x", Phase: "up", Listed: true}}}, api.Plan{}); err != nil {
		t.Fatal(err)
	}
	p.draw(0)
	p.clear()
	golden(t, "progress-terminal.txt", out.String())
}

func TestNarrowedIsOneApp(t *testing.T) {
	s := api.Status{
		Nodes: []api.Node{{Node: "a@h", App: "x"}, {Node: "b@h", App: "y"}},
		Apps:  []api.App{{App: "x"}, {App: "y"}},
	}
	p := api.Plan{Actions: []api.Action{{Node: "a@h", App: "x"}, {Node: "b@h", App: "y"}}}
	for _, target := range []string{"x", "a@h"} {
		gotStatus, gotPlan := narrowed(target, s, p)
		if len(gotStatus.Nodes) != 1 || gotStatus.Nodes[0].Node != "a@h" || len(gotStatus.Apps) != 1 || gotStatus.Apps[0].App != "x" || len(gotPlan.Actions) != 1 {
			t.Errorf("%s: %+v %+v", target, gotStatus, gotPlan)
		}
	}
	if len(s.Nodes) != 2 || len(p.Actions) != 2 {
		t.Error("the whole was changed")
	}
}
