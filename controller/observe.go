package controller

import (
	"context"
	"time"

	"ehc/state"
)

// observeGap is the least time between two observations: how late the Since of a
// condition may be. They stand beside the passes, which wait for none of them.
const observeGap = 200 * time.Millisecond

// observer records what holds, so that a condition's Since is when it came about and
// not when somebody asked. It knows what it recorded last, so that a node of which
// nothing has changed costs a comparison.
type observer struct {
	*Controller
	generation uint64
	apps       map[string]bool
	nodes      map[state.Node]nodeRow
}

func newObserver(c *Controller) *observer {
	return &observer{Controller: c, apps: map[string]bool{}, nodes: map[state.Node]nodeRow{}}
}

// run observes until ctx ends.
func (o *observer) run(ctx context.Context) {
	for {
		snap := o.store.Snapshot()
		o.observe(snap, time.Now())
		if !sleep(ctx, observeGap) || snap.Wait(ctx, time.Time{}) != nil {
			return
		}
	}
}

// observe records what is other in snap than it was.
func (o *observer) observe(snap state.Snapshot, now time.Time) {
	nodes := judged(snap, o.config.Spec().PubSub)
	set := o.appConditions(snap, o.config.Spec().Apps, nodes)
	var gone []state.Conditions
	apps := make(map[string]bool, len(set))
	for _, a := range set {
		apps[a.App] = true
	}
	for name := range o.apps {
		if !apps[name] {
			gone = append(gone, state.Conditions{App: name})
		}
	}
	known := make(map[state.Node]nodeRow, len(nodes))
	for _, n := range nodes {
		known[n.conn.Node] = n
		if was, ok := o.nodes[n.conn.Node]; !ok || was != n || o.generation != snap.Generation() {
			set = append(set, n.conditions(snap.Generation()))
		}
	}
	for name := range o.nodes {
		if _, ok := known[name]; !ok {
			gone = append(gone, state.Conditions{Node: name})
		}
	}
	o.generation, o.apps, o.nodes = snap.Generation(), apps, known
	changes, err := o.store.RecordConditions(set, gone, now)
	if err != nil {
		o.log.Error("observe", "error", err)
	}
	for _, x := range changes {
		o.tell(x)
	}
}
