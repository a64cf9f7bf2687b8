package reconcile

import (
	"time"

	"ehc/state"
)

// guardCases are those of TestDiff in which something keeps a node that no query lists.
func guardCases() []diffCase {
	other := []any{listed("b@h"), up("b@h")}
	old := []any{gone("a@h", ago(time.Hour)), up("a@h")}
	failed := with(answered(), func(q *state.Query) { q.Err = "SERVFAIL from [fdaa::3]:53" })
	empty := with(answered(), func(q *state.Query) { q.EmptyTimes = 1 })
	removed := with(media(), func(a *state.AppRow) { a.Removed = true })
	lenient := with(media(), func(a *state.AppRow) { a.Prune.AllowEmpty, a.Prune.MaxShare = true, 1 })
	servfail := "query media.internal failed: SERVFAIL from [fdaa::3]:53"
	noNodes := "query media.internal answers with no nodes; allow_empty is false"
	share := "2 of 3 live nodes of media would go; max_share is 0.5"
	return []diffCase{{
		name: "while its query fails an unlisted node is kept",
		rows: join(other, old, failed),
		held: []Hold{{Node: "a@h", App: "media", Reason: servfail}},
	}, {
		name: "while its query fails a node that came by itself is kept",
		rows: join(other, up("a@h"), failed),
		held: []Hold{{Node: "a@h", App: "media", Reason: servfail}},
	}, {
		name:    "what a query of an app that left the file says does not matter",
		rows:    join(old, failed, removed),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name:    "addresses at which nobody could be asked keep no other node",
		rows:    join(other, old, with(answered(), func(q *state.Query) { q.Unasked = "EPMD at 10.0.0.1:4369 unreachable" })),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "until a new query has been answered an unlisted node is kept",
		rows: join(other, old, answered(), state.Query{App: "media", Name: "new.internal"}),
		held: []Hold{{Node: "a@h", App: "media", Reason: "query new.internal has not been answered yet"}},
	}, {
		name: "a failing query of an app that listed the node once keeps it too",
		rows: join(other, old, answered(), state.AppRow{App: state.App{Name: "audio"}}, media(),
			state.Query{App: "audio", Name: "audio.internal", Err: "timed out"},
			state.Peer{Node: "a@h", App: "audio", Query: "audio.internal", GoneSince: ago(time.Hour)}),
		held: []Hold{{Node: "a@h", App: "media", Reason: "query audio.internal failed: timed out"}},
	}, {
		name: "an empty answer keeps live nodes for good",
		rows: join(old, empty),
		held: []Hold{{Node: "a@h", App: "media", Reason: noNodes, Prune: true}},
	}, {
		name: "an empty answer keeps live nodes even while it still redials dead ones",
		rows: join(old, empty, listed("b@h")),
		held: []Hold{{Node: "a@h", App: "media", Reason: noNodes, Prune: true}},
		actions: []Action{
			{Connect, "b@h", "media", "listed, not connected"},
		},
	}, {
		name: "empty answers of all of several queries keep live nodes",
		rows: join(old, empty, with(empty, func(q *state.Query) { q.Name = "z.internal" })),
		held: []Hold{{Node: "a@h", App: "media", Reason: "none of the 2 queries answers with a node; allow_empty is false", Prune: true}},
	}, {
		name: "an answer that lists nobody any more keeps live nodes, however it came to be",
		rows: old,
		held: []Hold{{Node: "a@h", App: "media", Reason: noNodes, Prune: true}},
	}, {
		name:    "an empty answer that is allowed prunes",
		rows:    join(old, empty, lenient),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "more than the share of live nodes is kept",
		rows: join(other, old, gone("c@h", ago(time.Hour)), up("c@h")),
		held: []Hold{{Node: "a@h", App: "media", Reason: share, Prune: true}, {Node: "c@h", App: "media", Reason: share, Prune: true}},
	}, {
		name: "listed nodes that are down do not make the share smaller",
		rows: join(other, old, gone("c@h", ago(time.Hour)), up("c@h"), listed("d@h")),
		held: []Hold{{Node: "a@h", App: "media", Reason: share, Prune: true}, {Node: "c@h", App: "media", Reason: share, Prune: true}},
		actions: []Action{
			{Connect, "d@h", "media", "listed, not connected"},
		},
	}, {
		name:    "the block of an app that left the file prunes to the last node",
		rows:    join(old, removed),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "an app that was renamed keeps its nodes while its query fails under the new name",
		rows: join(old, removed, state.AppRow{App: state.App{Name: "movies"}},
			with(failed, func(q *state.Query) { q.App = "movies" })),
		held: []Hold{{Node: "a@h", App: "media", Reason: servfail}},
	}, {
		name: "an app that was renamed keeps its nodes on an empty answer to the new name",
		rows: join(old, removed, state.AppRow{App: state.App{Name: "movies"}},
			with(empty, func(q *state.Query) { q.App = "movies" })),
		held: []Hold{{Node: "a@h", App: "media", Reason: noNodes, Prune: true}},
	}, {
		name: "one whose query lists others under the new name does not",
		rows: join(old, removed, state.AppRow{App: state.App{Name: "movies"}},
			with(answered(), func(q *state.Query) { q.App = "movies" }), with(listed("b@h"), func(p *state.Peer) { p.App = "movies" }),
			with(up("b@h"), func(c *state.Conn) { c.App = "movies" })),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "nor more than the share of both, if it lists only some under the new name",
		rows: join(old, gone("c@h", ago(time.Hour)), up("c@h"), removed, state.AppRow{App: state.App{Name: "movies"}},
			with(answered(), func(q *state.Query) { q.App = "movies" }), with(listed("b@h"), func(p *state.Peer) { p.App = "movies" }),
			with(up("b@h"), func(c *state.Conn) { c.App = "movies" })),
		held: []Hold{{Node: "a@h", App: "media", Reason: share, Prune: true}, {Node: "c@h", App: "media", Reason: share, Prune: true}},
	}, {
		name: "what an app that asks the same, too, is told does not matter",
		rows: join(other, old, answered(), media(), state.AppRow{App: state.App{Name: "movies"}},
			with(failed, func(q *state.Query) { q.App = "movies" })),
		actions: []Action{{Prune, "a@h", "media", "no longer listed"}},
	}, {
		name: "an app that left the file keeps its nodes for their grace",
		rows: join(gone("a@h", t0), up("a@h"), removed),
		held: []Hold{{Node: "a@h", App: "media", Reason: "listed no longer; kept for 30s", PruneAt: in(grace)}},
		wake: in(grace),
	}, {
		name:    "an approval overrides an empty answer and the grace",
		rows:    join(gone("a@h", t0), up("a@h"), empty, state.Approval{Node: "a@h", At: t0}),
		actions: []Action{{Prune, "a@h", "media", "no longer listed; approved"}},
	}, {
		name:    "an approval overrides a failing query",
		rows:    join(other, old, failed, state.Approval{Node: "a@h", At: t0}),
		actions: []Action{{Prune, "a@h", "media", "no longer listed; approved"}},
	}, {
		name: "an approval of one node does not let go of the others",
		rows: join(other, old, gone("c@h", ago(time.Hour)), up("c@h"), state.Approval{Node: "c@h", At: t0}),
		held: []Hold{{Node: "a@h", App: "media", Reason: share, Prune: true}},
		actions: []Action{
			{Prune, "c@h", "media", "no longer listed; approved"},
		},
	}, {
		name: "an approval of a node that is listed again does nothing",
		rows: join(other, state.Approval{Node: "b@h", At: t0}),
	}}
}
