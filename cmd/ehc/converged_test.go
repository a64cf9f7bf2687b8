package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
)

func TestUnconverged(t *testing.T) {
	plan := func(a ...api.Action) api.Plan { return api.Plan{Actions: a} }
	nodes := func(n ...api.Node) api.Status { return api.Status{Nodes: n} }
	condition := func(kind, status, reason string) api.Status {
		return api.Status{Apps: []api.App{{App: "x", Conditions: []api.Condition{{Type: kind, Status: status, Reason: reason, Message: "why"}}}}}
	}
	for name, c := range map[string]struct {
		status api.Status
		plan   api.Plan
		want   []string
	}{
		"nothing at all is converged":         {},
		"a listed node that is up is":         {status: nodes(api.Node{Node: "a", Phase: "up", Listed: true})},
		"a listed node that is down is not":   {status: nodes(api.Node{Node: "a", Phase: "down", Listed: true}), want: []string{"connect a: not connected"}},
		"why it is down is said":              {status: nodes(api.Node{Node: "a", Phase: "down", Listed: true, Message: "cookie rejected"}), want: []string{"connect a: cookie rejected"}},
		"a node that is down and unlisted is": {status: nodes(api.Node{Node: "a", Phase: "down"})},
		"a planned action is not": {
			plan: plan(api.Action{Kind: "drain", Node: "a", Reason: "3 events waiting"}), want: []string{"drain a: 3 events waiting"},
		},
		"a planned connect is told of once": {
			status: nodes(api.Node{Node: "a", Phase: "down", Listed: true}),
			plan:   plan(api.Action{Kind: "connect", Node: "a", Reason: "listed"}), want: []string{"connect a: listed"},
		},
		"a pruned node that is still up is not": {status: nodes(api.Node{Node: "gone", Phase: "up"}), want: []string{"prune gone: still connected"}},
		"a pruned node that is listed again is": {status: nodes(api.Node{Node: "gone", Phase: "up", Listed: true})},
		"a pruned node that a guard holds now is": {
			status: nodes(api.Node{Node: "gone", Phase: "up"}), plan: api.Plan{Held: []api.Hold{{Node: "gone", Prune: true}}},
		},
		"a remote shell is nobody's":                 {status: nodes(api.Node{Node: "shell", Phase: "up"})},
		"an app whose nodes are not resynced is not": {status: condition("Synced", "False", "NotSynced"), want: []string{"app x: NotSynced: why"}},
		"an app that was not looked up yet is not":   {status: condition("Discovered", "Unknown", "NotLookedUp"), want: []string{"app x: NotLookedUp: why"}},
		"an app whose lookup fails is not":           {status: condition("Discovered", "False", "LookupFailed"), want: []string{"app x: LookupFailed: why"}},
		"a suspended app is": {status: func() api.Status {
			s := condition("Synced", "False", "NotSynced")
			s.Suspended = []api.Suspension{{App: "x"}}
			s.Nodes = []api.Node{{Node: "n", App: "x", Phase: "down", Listed: true}}
			return s
		}()},
		"an app of which no node is listed is":        {status: condition("Discovered", "False", "NoNodes")},
		"an app with events for a node in trouble is": {status: condition("Drained", "False", "Waiting")},
	} {
		t.Run(name, func(t *testing.T) {
			got := unconverged(c.status, c.plan, map[string]bool{"gone": true})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("unconverged (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnded(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := start.Add(3 * time.Second)
	up := api.Node{Node: "a", App: "x", Phase: "up", Since: start.Add(41 * time.Millisecond), Listed: true}
	longUp := api.Node{Node: "a", App: "x", Phase: "up", Since: start.Add(-time.Hour), Listed: true}
	down := api.Node{Node: "a", App: "x", Phase: "down", Listed: true}
	synced := []api.App{{App: "x", Conditions: []api.Condition{{Type: "Synced", Status: "True"}}}}
	queue := func(pending int, oldest time.Time) []api.OutboxApp {
		return []api.OutboxApp{{App: "x", Pending: pending, Oldest: oldest}}
	}
	for name, c := range map[string]struct {
		kind   string
		status api.Status
		again  bool // the plan still has it
		want   string
	}{
		"connect: up":                           {"connect", api.Status{Nodes: []api.Node{up}}, false, "connected after 41ms"},
		"connect: was up before":                {"connect", api.Status{Nodes: []api.Node{longUp}}, false, "connected after 3s"},
		"connect: down":                         {"connect", api.Status{Nodes: []api.Node{down}}, false, ""},
		"connect: unlisted meanwhile":           {"connect", api.Status{}, false, "no longer listed"},
		"prune: up":                             {"prune", api.Status{Nodes: []api.Node{up}}, false, ""},
		"prune: down":                           {"prune", api.Status{Nodes: []api.Node{down}}, false, "pruned after 3s"},
		"prune: forgotten":                      {"prune", api.Status{}, false, "pruned after 3s"},
		"resync: its app is synced":             {"resync", api.Status{Nodes: []api.Node{up}, Apps: synced}, false, "resynced after 3s"},
		"resync: its app is not":                {"resync", api.Status{Nodes: []api.Node{up}}, false, ""},
		"resync: still planned":                 {"resync", api.Status{Nodes: []api.Node{up}, Apps: synced}, true, ""},
		"resync: the node is lost":              {"resync", api.Status{Nodes: []api.Node{down}, Apps: synced}, false, "not connected any more"},
		"drain: nothing waits":                  {"drain", api.Status{Outbox: queue(0, time.Time{})}, false, "delivered after 3s"},
		"drain: what waited still does":         {"drain", api.Status{Outbox: queue(2, start.Add(-time.Second))}, false, ""},
		"drain: only what came later waits yet": {"drain", api.Status{Outbox: queue(2, start.Add(time.Second))}, false, "delivered after 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.Action{Kind: c.kind, Node: "a", App: "x"}
			var plan api.Plan
			if c.again {
				plan.Actions = []api.Action{a}
			}
			if got := ended(a, c.status, plan, start, now); got != c.want {
				t.Errorf("ended = %q, want %q", got, c.want)
			}
		})
	}
}

// TestProgressTellsWhatTakesLong: at 10 and at 20 seconds, once each, and why.
func TestProgressTellsWhatTakesLong(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	clock := start
	s := &streams{out: &out, now: func() time.Time { return clock }}
	p := newProgress(s, nil, api.Plan{Actions: []api.Action{{Kind: "connect", Node: "a@h", App: "x"}}}, start)
	status := api.Status{Nodes: []api.Node{{Node: "a@h", App: "x", Phase: "down", Listed: true, Message: "cookie rejected"}}}
	for range 25 {
		if err := p.tell(status, api.Plan{}); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Second)
	}
	status.Nodes[0] = api.Node{Node: "a@h", App: "x", Phase: "up", Listed: true}
	for range 2 {
		if err := p.tell(status, api.Plan{}); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "progress.txt", out.String())
}

// TestAnInterruptedFollowTakesItsLineAway: the error that follows has one of its own,
// also if the controller was being asked just then.
func TestAnInterruptedFollowTakesItsLineAway(t *testing.T) {
	var out strings.Builder
	client := api.NewClient(api.SocketIn(t.TempDir()))
	defer client.Close()
	p := newProgress(&streams{out: &out, isTTY: true, now: time.Now}, client, api.Plan{}, time.Now())
	p.draw(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.follow(ctx, time.Minute); err == nil || !strings.HasPrefix(err.Error(), "interrupted; ") {
		t.Errorf("follow: %v", err)
	}
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("the line is still there: %q", &out)
	}
}
