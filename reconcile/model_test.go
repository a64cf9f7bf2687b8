package reconcile

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"ehc/state"
)

// drawWorld draws any facts at all, also such as the store never holds: three
// apps, of which the last has left the file, and rows of an app that nobody knows.
func drawWorld(t *rapid.T) world {
	w := world{}
	for i, name := range []string{"a", "b", "c"} {
		w.desired.Apps = append(w.desired.Apps, state.AppRow{Removed: i == 2, App: state.App{Name: name,
			Prune: state.Prune{
				After:     grace,
				MaxShare:  rapid.SampledFrom([]float64{0, 0.5, 0.7, 1}).Draw(t, "share"),
				MaxAtOnce: 0.34, AllowEmpty: rapid.Bool().Draw(t, "allow empty"),
			},
			Deliver: &state.Deliver{Module: "m"},
		}})
		for _, q := range []string{"q", "r"} {
			w.desired.Queries = append(w.desired.Queries, state.Query{App: name, Name: q,
				Known:      rapid.IntRange(0, 4).Draw(t, "known") > 0,
				Err:        rapid.SampledFrom([]string{"", "", "", "timed out"}).Draw(t, "err"),
				EmptyTimes: rapid.IntRange(0, 1).Draw(t, "empty"),
			})
		}
		if rapid.IntRange(0, 5).Draw(t, "suspended") == 0 {
			w.desired.Suspended = append(w.desired.Suspended, state.Suspension{App: name})
		}
		w.live.Batches = append(w.live.Batches, state.Batch{App: name, At: drawTime(t), Count: rapid.IntRange(0, 2).Draw(t, "count")})
		w.live.Backlogs = append(w.live.Backlogs, state.Backlog{App: name,
			Pending: rapid.IntRange(0, 2).Draw(t, "pending"), Draining: rapid.Bool().Draw(t, "draining"), RetryAt: drawTime(t),
			FailedOn: rapid.SampledFrom([]state.Node{"", "n00@h", "n03@h", "n11@h", "other@h"}).Draw(t, "failed on"),
		})
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "nodes") {
		w.drawNode(t, state.Node(fmt.Sprintf("n%02d@h", i)))
	}
	return w
}

func drawTime(t *rapid.T) time.Time {
	s := rapid.IntRange(-60, 30).Draw(t, "seconds")
	if s == 30 {
		return time.Time{}
	}
	return in(time.Duration(s) * time.Second)
}

func (w *world) drawNode(t *rapid.T, n state.Node) {
	app := rapid.SampledFrom([]string{"a", "a", "a", "b", "c", "", "ghost"}).Draw(t, "app")
	for _, q := range []string{"q", "r"} {
		p := state.Peer{Node: n, App: app, Query: q}
		switch rapid.IntRange(0, 3).Draw(t, "row") {
		case 0:
			w.desired.Peers = append(w.desired.Peers, p)
		case 1, 2:
			p.GoneSince = drawTime(t)
			w.desired.Peers = append(w.desired.Peers, p)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "approved") == 0 {
		w.desired.Approvals = append(w.desired.Approvals, state.Approval{Node: n})
	}
	if rapid.IntRange(0, 4).Draw(t, "conn") == 0 {
		return
	}
	w.live.Conns = append(w.live.Conns, state.Conn{Node: n, App: app,
		Phase:    rapid.SampledFrom([]state.Phase{state.Down, state.Dialling, state.Up, state.Up, state.Up}).Draw(t, "phase"),
		Since:    drawTime(t),
		Creation: uint32(rapid.IntRange(1, 2).Draw(t, "creation")),
		Synced:   uint32(rapid.IntRange(0, 2).Draw(t, "synced")),
		RetryAt:  drawTime(t),
		Message:  rapid.SampledFrom([]string{"", "cookie rejected"}).Draw(t, "message"),
		Busy:     rapid.IntRange(0, 3).Draw(t, "busy") == 0,
	})
}

// finish ends well what is under way in w.
func (w *world) finish() {
	for i := range w.live.Conns {
		c := &w.live.Conns[i]
		if c.Phase == state.Dialling {
			*c = state.Conn{Node: c.Node, App: c.App, Phase: state.Up, Since: t0, Creation: 9}
		}
		if c.Busy {
			c.Busy, c.Synced = false, c.Creation
		}
	}
	for i := range w.live.Backlogs {
		if b := &w.live.Backlogs[i]; b.Draining {
			b.Draining, b.Pending = false, 0
		}
	}
}

// perform does p at t0, and all of it works.
func (w *world) perform(p Plan) {
	for _, a := range p.Actions {
		switch a.Kind {
		case Prune:
			w.prune(a)
		case Connect:
			w.live.Conns = slices.DeleteFunc(w.live.Conns, func(c state.Conn) bool { return c.Node == a.Node })
			w.live.Conns = append(w.live.Conns, state.Conn{Node: a.Node, App: a.App, Phase: state.Up, Since: t0, Creation: 9})
		case Resync:
			for i := range w.live.Conns {
				if c := &w.live.Conns[i]; c.Node == a.Node {
					c.Synced = c.Creation
				}
			}
		case Drain:
			for i := range w.live.Backlogs {
				if b := &w.live.Backlogs[i]; b.App == a.App {
					b.Pending = 0
				}
			}
		}
	}
}

func (w *world) prune(a Action) {
	w.live.Conns = slices.DeleteFunc(w.live.Conns, func(c state.Conn) bool { return c.Node == a.Node })
	w.desired.Peers = slices.DeleteFunc(w.desired.Peers, func(p state.Peer) bool { return p.Node == a.Node })
	w.desired.Approvals = slices.DeleteFunc(w.desired.Approvals, func(p state.Approval) bool { return p.Node == a.Node })
	for i := range w.live.Batches {
		b := &w.live.Batches[i]
		if b.App != a.App {
			continue
		}
		if !t0.Before(b.At.Add(grace)) {
			b.Count = 0
		}
		b.At, b.Count = t0, b.Count+1
	}
}
