package controller

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
)

const twoApps = worldText + `
peer "b" {
  queries = ["b.internal"]
}
`

func TestAPlanSaysWhatTheFileChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.look.nodes["b.internal"] = nil
		w.list()
		text := strings.ReplaceAll(twoApps, `after = "30s"`, `after = "1m"`)
		text = strings.ReplaceAll(text, "ehc@127.0.0.1", "other@127.0.0.1")
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{File: "x.hcl", Text: text})
		want := []api.Change{
			{Op: "change", Block: "node", Settings: []string{"name"}},
			{Op: "change", Block: `peer "a"`, Settings: []string{"prune.after"}},
			{Op: "add", Block: `peer "b"`},
		}
		if d := cmp.Diff(want, plan.Changes); err != nil || d != "" {
			t.Errorf("changes: %v\n%s", err, d)
		}
		if len(plan.RestartRequired) != 1 || plan.Generation != 1 || plan.StartedAt.IsZero() {
			t.Errorf("plan %+v", plan)
		}
		if plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{}); err != nil || plan.Changes != nil {
			t.Errorf("the file in force changes %+v, %v", plan.Changes, err)
		}
	})
}

// TestAnIndexHoldsUntilTheFileIsInForce: the store moves while an apply looks new
// queries up.
func TestAnIndexHoldsUntilTheFileIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.list()
		w.settle(time.Second)
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1"}
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{File: "x.hcl", Text: twoApps})
		if err != nil {
			t.Fatal(err)
		}
		w.look.first = func() {
			if err := w.store.RecordFailure("a", "a.internal", "SERVFAIL"); err != nil {
				t.Error(err)
			}
		}
		var problem *api.Problem
		_, err = w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: twoApps, CheckIndex: plan.Index})
		if !errors.As(err, &problem) || problem.Status != 409 {
			t.Errorf("apply at an index that moves: %v, want a refusal", err)
		}
		if g := w.status().Config.Generation; g != 1 {
			t.Errorf("generation %d is in force, want 1", g)
		}
	})
}

// What is put in force is looked up by the plan of the apply, and then by discovery,
// for which the apply waits.
func TestAnAppliedQueryIsLookedUpOnceInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.list()
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1"}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: twoApps}); err != nil {
			t.Fatal(err)
		}
		if err := w.ctl.LookedUp(t.Context()); err != nil {
			t.Errorf("once it is applied: %v", err)
		}
		w.settle(time.Second)
		if n := w.look.asked["b.internal"]; n != 2 {
			t.Errorf("looked up %d times, want once in the plan and once in force", n)
		}
	})
}

// An apply waits for discovery, but not for ever.
func TestAnApplyEndsWithoutALookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t) // whose own query nobody looks up
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: twoApps}); err != nil {
			t.Error(err)
		}
		if g := w.status().Config.Generation; g != 2 {
			t.Errorf("generation %d is in force, want 2", g)
		}
	})
}

// Who is told that a request has failed takes the file not to be in force.
func TestAnApplyThatIsCutOffInForceHasNotFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.settle(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.ctl.look = cutOff{w.look, cancel}
		_, err := w.ctl.Apply(ctx, api.ApplyRequest{File: "x.hcl", Text: twoApps})
		if got := appNames(w.ctl.config); err != nil || got != "a b" {
			t.Errorf("in force are %s: %v", got, err)
		}
	})
}

// cutOff is a Discovery that never looks up what is new in force, since whoever asked
// for it has gone.
type cutOff struct {
	Discovery
	end func()
}

func (c cutOff) Set([]state.App, state.DNSSpec) { c.end() }

func TestATargetNarrowsAPlanAndAnApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1"}
		w.list("a1@127.0.0.1") // nobody is there
		w.settle(time.Second)
		ask := func(r api.PlanRequest) api.Plan {
			t.Helper()
			plan, err := w.ctl.Plan(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return plan
		}
		if p := ask(api.PlanRequest{File: "x.hcl", Text: twoApps, Target: "b"}); len(p.Actions) != 1 || p.Actions[0].App != "b" || len(p.Held) != 0 || p.Target != "b" {
			t.Errorf("of app b: %+v", p)
		}
		if p := ask(api.PlanRequest{Target: "a1@127.0.0.1"}); len(p.Actions)+len(p.Held) != 1 {
			t.Errorf("of node a1: %+v", p)
		}
		var problem *api.Problem
		if _, err := w.ctl.Plan(t.Context(), api.PlanRequest{Target: "nobody"}); !errors.As(err, &problem) || problem.Status != 422 || !strings.Contains(problem.Detail, `"nobody"`) {
			t.Errorf("of nobody: %v", err)
		}
		both := strings.ReplaceAll(twoApps, `after = "30s"`, `after = "1m"`)
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: both, Target: "b"}); !errors.As(err, &problem) || !strings.Contains(problem.Detail, `also changes peer "a"`) {
			t.Errorf("a file that changes more: %v", err)
		}
		if g := w.status().Config.Generation; g != 1 {
			t.Fatalf("it was put in force: generation %d", g)
		}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: twoApps, Target: "b1@127.0.0.1"}); err != nil {
			t.Errorf("a file that changes only the block of the target's app: %v", err)
		}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: twoApps, Target: "b"}); err != nil {
			t.Errorf("a file that changes only the target: %v", err)
		}
	})
}

func TestATargetsHeldNodesAloneAreApproved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, n := range []state.Node{"a1@127.0.0.1", "a2@127.0.0.1"} {
			w.peer(string(n), nil)
		}
		w.list("a1@127.0.0.1", "a2@127.0.0.1")
		w.settle(time.Second)
		w.list() // an empty answer holds both
		w.settle(time.Minute)
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{PruneHeld: true, Target: "a1@127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		if s := w.status(); len(s.Nodes) != 1 || s.Nodes[0].Node != "a2@127.0.0.1" || s.Nodes[0].Phase != "up" {
			t.Errorf("nodes %+v", s.Nodes)
		}
	})
}

func TestAPlanTriesTheNodesThatItWouldConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.list()
		w.peer("b1@127.0.0.1", nil)
		w.peer("b2@127.0.0.1", nil).Refuse(transport.ErrCookie)
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1", "b2@127.0.0.1", "b3@127.0.0.1"}
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{File: "x.hcl", Text: twoApps, Probe: true})
		want := []api.Probe{
			{Node: "b1@127.0.0.1", App: "b", OK: true, Message: "would connect"},
			{Node: "b2@127.0.0.1", App: "b", Reason: "CookieRejected", Message: "would not connect: cookie rejected"},
			{Node: "b3@127.0.0.1", App: "b", Reason: "NotListed", Message: "would not connect: not listed in EPMD"},
		}
		if d := cmp.Diff(want, plan.Probes); err != nil || d != "" {
			t.Errorf("probes: %v\n%s", err, d)
		}
		if s := w.status(); len(s.Nodes) != 0 {
			t.Errorf("a probe left %+v", s.Nodes)
		}
	})
}

func TestProbesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.list()
		var nodes []state.Node
		for i := range 2 * maxProbes {
			n := state.Node("b" + strings.Repeat("x", i) + "@127.0.0.1")
			w.peer(string(n), nil)
			nodes = append(nodes, n)
		}
		w.look.nodes["b.internal"] = nodes
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{File: "x.hcl", Text: twoApps, Probe: true})
		if err != nil || len(plan.Probes) != len(nodes) {
			t.Fatalf("%d probes, %v", len(plan.Probes), err)
		}
		tried := 0
		for _, p := range plan.Probes {
			if p.OK {
				tried++
			} else if p.Reason != "NotProbed" {
				t.Errorf("%+v", p)
			}
		}
		if tried != maxProbes {
			t.Errorf("%d were tried", tried)
		}
	})
}
