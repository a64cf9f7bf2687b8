package reconcile

import (
	"fmt"
	"testing"
	"time"

	"ehc/state"
)

// crowd is the facts of 10,000 nodes of 50 apps: most are up and listed, every
// tenth is gone and every twentieth down.
func crowd() world {
	w := world{}
	for a := range 50 {
		app := fmt.Sprintf("app%02d", a)
		row := media()
		row.Name = app
		w.desired.Apps = append(w.desired.Apps, row)
		w.desired.Queries = append(w.desired.Queries, state.Query{App: app, Name: "q", Known: true})
		w.live.Backlogs = append(w.live.Backlogs, state.Backlog{App: app, Pending: 3})
		for i := range 200 {
			p := state.Peer{Node: state.Node(fmt.Sprintf("%s-%03d@fdaa:0:1::%x:%x", app, i, a, i)), App: app, Query: "q"}
			c := up(p.Node)
			c.App = app
			switch {
			case i%10 == 0:
				p.GoneSince = ago(time.Duration(i) * time.Second)
			case i%20 == 1:
				c.Phase = state.Down
			}
			w.desired.Peers = append(w.desired.Peers, p)
			w.live.Conns = append(w.live.Conns, c)
		}
	}
	return w
}

func BenchmarkDiff10000(b *testing.B) {
	w := crowd()
	actions := 0
	for b.Loop() {
		actions = len(Diff(w.desired, w.live, t0).Actions)
	}
	b.ReportMetric(float64(actions), "actions")
}

// BenchmarkDiff10000Settled is the pass that finds nothing to do.
func BenchmarkDiff10000Settled(b *testing.B) {
	w := crowd()
	for i := range w.desired.Peers {
		w.desired.Peers[i].GoneSince = time.Time{}
	}
	for i := range w.live.Conns {
		w.live.Conns[i].Phase = state.Up
	}
	w.live.Backlogs = nil
	for b.Loop() {
		if !Diff(w.desired, w.live, t0).Empty() {
			b.Fatal("something to do")
		}
	}
}
