package reconcile

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

func TestDiff(t *testing.T) {
	for _, group := range [][]diffCase{connectCases(), resyncCases(), pruneCases(), guardCases(), batchCases(), drainCases(), suspendCases()} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				w := worldOf(tt.rows...)
				got := Diff(w.desired, w.live, t0)
				want := Plan{Actions: tt.actions, Held: tt.held, Wake: tt.wake}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("plan (-want +got):\n%s", d)
				}
			})
		}
	}
}

type diffCase struct {
	name    string
	rows    []any
	actions []Action
	held    []Hold
	wake    time.Time
}

func connectCases() []diffCase {
	down := state.Conn{Node: "a@h", App: "media", Reason: "CookieRejected", Message: "cookie rejected"}
	return []diffCase{{
		name:    "a listed node without a connection is connected",
		rows:    []any{listed("a@h")},
		actions: []Action{{Connect, "a@h", "media", "listed, not connected"}},
	}, {
		name: "a listed node that failed a moment ago is held until its retry",
		rows: []any{listed("a@h"), with(down, func(c *state.Conn) { c.RetryAt = in(time.Second) })},
		held: []Hold{{Node: "a@h", App: "media", Reason: "cookie rejected; backing off"}},
		wake: in(time.Second),
	}, {
		name:    "a listed node whose retry has come is connected again",
		rows:    []any{listed("a@h"), with(down, func(c *state.Conn) { c.RetryAt = t0 })},
		actions: []Action{{Connect, "a@h", "media", "retry after: cookie rejected"}},
	}, {
		name: "a node that is being dialled for the first time is held",
		rows: []any{listed("a@h"), state.Conn{Node: "a@h", App: "media", Phase: state.Dialling}},
		held: []Hold{{Node: "a@h", App: "media", Reason: "dialling"}},
	}, {
		name: "a node that is being dialled again reads as it did while it backed off",
		rows: []any{listed("a@h"), with(down, func(c *state.Conn) { c.Phase = state.Dialling })},
		held: []Hold{{Node: "a@h", App: "media", Reason: "cookie rejected; backing off"}},
	}, {
		name: "a node that one query lists and another has left out is connected",
		rows: []any{listed("a@h"), with(gone("a@h", ago(time.Hour)), func(p *state.Peer) { p.Query = "old.internal" })},
		actions: []Action{
			{Connect, "a@h", "media", "listed, not connected"},
		},
	}, {
		name: "a node that is down and listed no longer is left alone",
		rows: []any{listed("b@h"), up("b@h"), gone("a@h", ago(time.Hour)), down},
	}, {
		name: "a dial of a node that was unlisted meanwhile is left to end",
		rows: []any{listed("b@h"), up("b@h"), gone("a@h", t0), with(down, func(c *state.Conn) { c.Phase = state.Dialling })},
	}, {
		name:    "a node that two apps list is connected once, for the first",
		rows:    []any{listed("a@h"), with(listed("a@h"), func(p *state.Peer) { p.App = "audio" })},
		actions: []Action{{Connect, "a@h", "audio", "listed, not connected"}},
	}}
}

func resyncCases() []diffCase {
	restarted := with(up("a@h"), func(c *state.Conn) { c.Creation = 8 })
	return []diffCase{{
		name: "a listed node that is up and resynced needs nothing",
		rows: []any{listed("a@h"), up("a@h")},
	}, {
		name:    "a new incarnation is resynced",
		rows:    []any{listed("a@h"), restarted},
		actions: []Action{{Resync, "a@h", "media", "new incarnation"}},
	}, {
		name: "a resync that is under way is not started again",
		rows: []any{listed("a@h"), with(restarted, func(c *state.Conn) { c.Busy = true })},
		held: []Hold{{Node: "a@h", App: "media", Reason: "under way"}},
	}, {
		name: "a resync that failed a moment ago is held until its retry",
		rows: []any{listed("a@h"), with(restarted, func(c *state.Conn) { c.Message, c.RetryAt = "no answer", in(time.Second) })},
		held: []Hold{{Node: "a@h", App: "media", Reason: "no answer; backing off"}},
		wake: in(time.Second),
	}, {
		name: "a new incarnation of a node that is kept for its grace is resynced too",
		rows: []any{listed("b@h"), up("b@h"), gone("a@h", t0), restarted},
		actions: []Action{
			{Resync, "a@h", "media", "new incarnation"},
		},
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(grace)}},
		wake: in(grace),
	}, {
		name: "a resync of a kept node that is under way is not started again",
		rows: []any{listed("b@h"), up("b@h"), gone("a@h", t0), with(restarted, func(c *state.Conn) { c.Busy = true })},
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(grace)}},
		wake: in(grace),
	}, {
		name: "a node of no app is not resynced",
		rows: []any{with(restarted, func(c *state.Conn) { c.App = "" })},
	}}
}

func pruneCases() []diffCase {
	other := []any{listed("b@h"), up("b@h")}
	return []diffCase{{
		name:    "a node that was unlisted a grace ago is pruned",
		rows:    append(other, gone("a@h", ago(grace)), up("a@h")),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "a node that was unlisted a moment ago is kept for its grace",
		rows: append(other, gone("a@h", ago(29*time.Second)), up("a@h")),
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(time.Second)}},
		wake: in(time.Second),
	}, {
		name: "the grace counts from the query that left the node out last",
		rows: append(other, gone("a@h", ago(time.Hour)), up("a@h"),
			with(gone("a@h", ago(20*time.Second)), func(p *state.Peer) { p.Query = "z.internal" })),
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(10 * time.Second)}},
		wake: in(10 * time.Second),
	}, {
		name: "a node that came by itself has its grace from then",
		rows: append(other, with(up("a@h"), func(c *state.Conn) { c.Since = ago(time.Second) })),
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(29 * time.Second)}},
		wake: in(29 * time.Second),
	}, {
		name:    "a node that came by itself and is never listed is pruned",
		rows:    append(other, up("a@h")),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "a prune that is under way is not started again",
		rows: append(other, gone("a@h", ago(grace)), with(up("a@h"), func(c *state.Conn) { c.Busy = true })),
		held: []Hold{{Node: "a@h", App: "media", Reason: "under way"}},
	}, {
		name: "a node of no app is left alone",
		rows: append(other, with(up("remsh@h"), func(c *state.Conn) { c.App = "" })),
	}, {
		name: "a node of an app that nobody knows is left alone",
		rows: append(other, with(up("a@h"), func(c *state.Conn) { c.App = "ghost" })),
	}}
}

func batchCases() []diffCase {
	var six []any
	for _, n := range []state.Node{"d@h", "e@h", "f@h"} {
		six = append(six, listed(n), up(n))
	}
	for i, n := range []state.Node{"a@h", "b@h", "c@h"} {
		six = append(six, gone(n, ago(time.Hour+time.Duration(i)*time.Second)), up(n))
	}
	turn := "waits its turn: 2 at once, the next 30s later"
	pruneOf := func(n state.Node) Action { return Action{Prune, n, "media", "no longer listed"} }
	return []diffCase{{
		name:    "a third goes at once, those first that were unlisted first",
		rows:    six,
		actions: []Action{pruneOf("b@h"), pruneOf("c@h")},
		held:    []Hold{{Node: "a@h", App: "media", Reason: turn}},
	}, {
		name: "within a grace of the last batch nothing more goes",
		rows: join(six, state.Batch{App: "media", At: ago(time.Second), Count: 2}),
		held: []Hold{
			{Node: "a@h", App: "media", Reason: turn}, {Node: "b@h", App: "media", Reason: turn}, {Node: "c@h", App: "media", Reason: turn},
		},
		wake: in(29 * time.Second),
	}, {
		name:    "what the last batch left of its third goes",
		rows:    join(six, state.Batch{App: "media", At: ago(time.Second), Count: 1}),
		actions: []Action{pruneOf("c@h")},
		held:    []Hold{{Node: "a@h", App: "media", Reason: turn}, {Node: "b@h", App: "media", Reason: turn}},
		wake:    in(29 * time.Second),
	}, {
		name:    "one grace after the last batch the next goes",
		rows:    join(six, state.Batch{App: "media", At: ago(grace), Count: 2}),
		actions: []Action{pruneOf("b@h"), pruneOf("c@h")},
		held:    []Hold{{Node: "a@h", App: "media", Reason: turn}},
	}, {
		name:    "an app that left the file goes by thirds too",
		rows:    join(six, with(media(), func(a *state.AppRow) { a.Removed = true })),
		actions: []Action{pruneOf("b@h"), pruneOf("c@h")},
		held:    []Hold{{Node: "a@h", App: "media", Reason: turn}},
	}, {
		name:    "those that a person has approved use up the third of the others",
		rows:    join(six, state.Approval{Node: "a@h"}, state.Approval{Node: "b@h"}),
		actions: []Action{{Prune, "a@h", "media", "no longer listed; approved"}, {Prune, "b@h", "media", "no longer listed; approved"}},
		held:    []Hold{{Node: "c@h", App: "media", Reason: turn}},
	}, {
		name: "of few nodes one goes at a time",
		rows: []any{listed("c@h"), up("c@h"), gone("a@h", ago(time.Hour)), up("a@h"), listed("d@h"), up("d@h"), gone("b@h", ago(time.Hour)), up("b@h")},
		actions: []Action{
			pruneOf("a@h"),
		},
		held: []Hold{{Node: "b@h", App: "media", Reason: "waits its turn: 1 at once, the next 30s later"}},
	}}
}

func drainCases() []diffCase {
	two := []any{listed("a@h"), up("a@h"), listed("b@h"), up("b@h")}
	stuck := with(waiting(3), func(b *state.Backlog) { b.Message, b.RetryAt = "undef", in(time.Second) })
	return []diffCase{{
		name:    "what waits is drained through the first node",
		rows:    join(two, waiting(3)),
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
	}, {
		name:    "the first node is the first by name",
		rows:    []any{listed("b@h"), up("b@h"), listed("a@h"), up("a@h"), listed("c@h"), up("c@h"), waiting(3)},
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
	}, {
		name:    "a drain that failed on one node goes on through the next",
		rows:    join(two, listed("c@h"), up("c@h"), with(waiting(3), func(b *state.Backlog) { b.FailedOn = "b@h" })),
		actions: []Action{{Drain, "c@h", "media", "3 events waiting"}},
	}, {
		name:    "after the last node comes the first",
		rows:    join(two, with(waiting(3), func(b *state.Backlog) { b.FailedOn = "b@h" })),
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
	}, {
		name:    "a node on which a drain failed is taken again if there is no other",
		rows:    []any{listed("a@h"), up("a@h"), with(waiting(3), func(b *state.Backlog) { b.FailedOn = "a@h" })},
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
	}, {
		name: "of kept nodes, too, the next takes over",
		rows: []any{gone("a@h", ago(time.Hour)), up("a@h"), gone("b@h", ago(time.Hour)), up("b@h"),
			with(answered(), func(q *state.Query) { q.EmptyTimes = 1 }), with(waiting(3), func(b *state.Backlog) { b.FailedOn = "a@h" })},
		actions: []Action{{Drain, "b@h", "media", "3 events waiting"}},
		held: []Hold{
			{Node: "a@h", App: "media", Prune: true, Reason: "query media.internal answers with no nodes; allow_empty is false"},
			{Node: "b@h", App: "media", Prune: true, Reason: "query media.internal answers with no nodes; allow_empty is false"},
		},
	}, {
		name:    "nothing is drained through a node that is busy",
		rows:    []any{listed("a@h"), with(up("a@h"), func(c *state.Conn) { c.Busy = true }), listed("b@h"), up("b@h"), waiting(3)},
		actions: []Action{{Drain, "b@h", "media", "3 events waiting"}},
		held:    []Hold{{Node: "a@h", App: "media", Reason: "under way"}},
	}, {
		name: "an app that left the file is not drained",
		rows: join(two, waiting(3), with(media(), func(a *state.AppRow) { a.Removed = true })),
	}, {
		name:    "one event waits in the singular",
		rows:    join(two, waiting(1)),
		actions: []Action{{Drain, "a@h", "media", "1 event waiting"}},
	}, {
		name: "an empty queue is not drained",
		rows: join(two, waiting(0)),
	}, {
		name: "a drain that is under way is not started again",
		rows: join(two, with(waiting(3), func(b *state.Backlog) { b.Draining = true })),
		held: []Hold{{Node: "a@h", App: "media", Reason: "draining"}},
	}, {
		name: "a drain that failed a moment ago is held until its retry",
		rows: join(two, stuck),
		held: []Hold{{Node: "a@h", App: "media", Reason: "handler: undef; backing off"}},
		wake: in(time.Second),
	}, {
		name:    "a drain whose retry has come is tried again",
		rows:    join(two, with(stuck, func(b *state.Backlog) { b.RetryAt = t0 })),
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
	}, {
		name:    "a node is resynced before anything is drained through it",
		rows:    []any{listed("a@h"), with(up("a@h"), func(c *state.Conn) { c.Creation = 8 }), waiting(3)},
		actions: []Action{{Resync, "a@h", "media", "new incarnation"}},
	}, {
		name: "nothing is drained through a kept node while a listed one can take it",
		rows: []any{gone("a@h", t0), up("a@h"), listed("b@h"), up("b@h"), waiting(3)},
		actions: []Action{
			{Drain, "b@h", "media", "3 events waiting"},
		},
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(grace)}},
		wake: in(grace),
	}, {
		name:    "where no listed node can take it, a kept one gets what waits",
		rows:    []any{gone("a@h", ago(time.Hour)), up("a@h"), with(answered(), func(q *state.Query) { q.EmptyTimes = 1 }), waiting(3)},
		actions: []Action{{Drain, "a@h", "media", "3 events waiting"}},
		held: []Hold{{Node: "a@h", App: "media", Prune: true,
			Reason: "query media.internal answers with no nodes; allow_empty is false"}},
	}, {
		name: "an app without a handler is not drained",
		rows: join(two, waiting(3), with(media(), func(a *state.AppRow) { a.Deliver = nil })),
	}, {
		name: "what waits for an app that nobody knows stays",
		rows: join(two, state.Backlog{App: "ghost", Pending: 3}),
	}}
}

// A share is a decimal fraction, which a float64 is not: 29 of 100 is not more
// than 0.29.
func TestShareOfManyNodesIsExact(t *testing.T) {
	app := with(media(), func(a *state.AppRow) { a.Prune.MaxShare, a.Prune.MaxAtOnce = 0.29, 0.29 })
	rows := []any{app}
	for i := range 100 {
		n := state.Node(fmt.Sprintf("n%02d@h", i))
		rows = append(rows, up(n), with(listed(n), func(p *state.Peer) {
			if i < 29 {
				p.GoneSince = ago(time.Hour)
			}
		}))
	}
	w := worldOf(rows...)
	if p := Diff(w.desired, w.live, t0); len(p.Actions) != 29 {
		t.Errorf("%d pruned, want 29; held %v", len(p.Actions), p.Held)
	}
}

func suspendCases() []diffCase {
	suspended := state.Suspension{App: "media", At: ago(time.Minute)}
	audio := with(media(), func(a *state.AppRow) { a.Name = "audio" })
	held := func(n state.Node) []Hold { return []Hold{{Node: n, App: "media", Reason: "suspended"}} }
	return []diffCase{{
		name: "a listed node of a suspended app is not connected",
		rows: []any{suspended, listed("a@h")},
		held: held("a@h"),
	}, {
		name: "a live node of a suspended app that is as it should be is left alone",
		rows: []any{suspended, listed("a@h"), up("a@h")},
	}, {
		name: "a restarted node of a suspended app is not resynced",
		rows: []any{suspended, listed("a@h"), with(up("a@h"), func(c *state.Conn) { c.Creation = 8 })},
		held: held("a@h"),
	}, {
		name: "an unlisted node of a suspended app is not pruned, though a person has approved it",
		rows: []any{suspended, listed("b@h"), up("b@h"), gone("a@h", ago(time.Hour)), up("a@h"), state.Approval{Node: "a@h"}},
		held: held("a@h"),
	}, {
		name: "the events of a suspended app wait",
		rows: []any{suspended, listed("a@h"), up("a@h"), waiting(3)},
		held: held("a@h"),
	}, {
		name:    "a node that another app lists as well is connected for that one",
		rows:    []any{suspended, media(), audio, listed("a@h"), with(listed("a@h"), func(p *state.Peer) { p.App = "video" })},
		actions: []Action{{Connect, "a@h", "video", "listed, not connected"}},
	}, {
		name: "a restarted node that another app lists as well is resynced for that one",
		rows: []any{suspended, media(), audio, listed("a@h"), with(listed("a@h"), func(p *state.Peer) { p.App = "audio" }),
			with(up("a@h"), func(c *state.Conn) { c.Creation = 8 }), state.Backlog{App: "audio", Pending: 3}},
		actions: []Action{{Resync, "a@h", "audio", "new incarnation"}},
	}, {
		name: "an app that has left the file keeps its nodes while it is suspended",
		rows: []any{suspended, with(media(), func(a *state.AppRow) { a.Removed = true }), gone("a@h", ago(time.Hour)), up("a@h")},
		held: held("a@h"),
	}, {
		name: "a suspension of an app that nobody knows does nothing",
		rows: []any{state.Suspension{App: "ghost"}, listed("a@h"), up("a@h")},
	}}
}
