package reconcile

import (
	"time"

	"ehc/state"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const grace = 30 * time.Second

// ago is the time so long before t0, at which every case is judged.
func ago(d time.Duration) time.Time { return t0.Add(-d) }
func in(d time.Duration) time.Time  { return t0.Add(d) }

func media() state.AppRow {
	return state.AppRow{App: state.App{
		Name:    "media",
		Queries: []state.Lookup{{Text: "media.internal"}},
		Prune:   state.Prune{After: grace, MaxShare: 0.5, MaxAtOnce: 0.34},
		Deliver: &state.Deliver{Module: "m", Function: "f"},
	}}
}

func answered() state.Query { return state.Query{App: "media", Name: "media.internal", Known: true} }

func listed(n state.Node) state.Peer {
	return state.Peer{Node: n, App: "media", Query: "media.internal"}
}

func gone(n state.Node, since time.Time) state.Peer {
	p := listed(n)
	p.GoneSince = since
	return p
}

func up(n state.Node) state.Conn {
	return state.Conn{Node: n, App: "media", Phase: state.Up, Since: ago(time.Hour), Creation: 7, Synced: 7}
}

func waiting(events int) state.Backlog { return state.Backlog{App: "media", Pending: events} }

// world is the facts of one case.
type world struct {
	desired state.Desired
	live    state.Live
}

// worldOf sorts rows into a world, which has the app and its answered query unless
// the rows say otherwise.
func worldOf(rows ...any) world {
	w := world{}
	for _, row := range rows {
		switch r := row.(type) {
		case state.AppRow:
			w.desired.Apps = append(w.desired.Apps, r)
		case state.Query:
			w.desired.Queries = append(w.desired.Queries, r)
		case state.Peer:
			w.desired.Peers = append(w.desired.Peers, r)
		case state.Approval:
			w.desired.Approvals = append(w.desired.Approvals, r)
		case state.Suspension:
			w.desired.Suspended = append(w.desired.Suspended, r)
		case state.Conn:
			w.live.Conns = append(w.live.Conns, r)
		case state.Backlog:
			w.live.Backlogs = append(w.live.Backlogs, r)
		case state.Batch:
			w.live.Batches = append(w.live.Batches, r)
		default:
			panic("no such row")
		}
	}
	if w.desired.Apps == nil {
		w.desired.Apps = []state.AppRow{media()}
	}
	if w.desired.Queries == nil {
		w.desired.Queries = []state.Query{answered()}
	}
	return w
}

// with returns row as change leaves it.
func with[T any](row T, change func(*T)) T {
	change(&row)
	return row
}

// join puts rows and slices of rows into one slice.
func join(parts ...any) []any {
	var rows []any
	for _, p := range parts {
		if more, ok := p.([]any); ok {
			rows = append(rows, more...)
		} else {
			rows = append(rows, p)
		}
	}
	return rows
}
