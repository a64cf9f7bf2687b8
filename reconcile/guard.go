package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// expire finds what keeps a live node that no query lists, or that it is due to
// go. What depends on the app's other nodes is left to release.
func (d *differ) expire(n *node) {
	a, c := n.app, n.conn
	gone := n.gone
	if gone.IsZero() {
		gone = c.Since
	}
	n.gone = gone
	leaves := gone.Add(a.Prune.After)
	unsure := first(n.unsure, a.unsure())
	empty := a.forbidsEmpty()
	for _, b := range n.movedTo {
		empty = first(empty, b.forbidsEmpty())
	}
	switch {
	case n.approved:
		a.approved++
		d.prune(n, "no longer listed; approved")
	case unsure != "":
		d.plan.hold(n.name, c.App, unsure)
		d.keep(n)
	case empty != "":
		d.plan.guard(n.name, c.App, empty)
		d.keep(n)
	case d.now.Before(leaves):
		d.plan.Held = append(d.plan.Held, Hold{
			Node: n.name, App: c.App, PruneAt: leaves, Reason: fmt.Sprintf("listed no longer; kept for %s", a.Prune.After),
		})
		d.plan.wakeAt(leaves)
		d.keep(n)
	default:
		a.due = append(a.due, n)
	}
}

// release lets as many of the app's due nodes go as its guards allow.
func (d *differ) release(a *app) {
	slices.SortFunc(a.due, func(x, y *node) int {
		return cmp.Or(x.gone.Compare(y.gone), cmp.Compare(x.name, y.name))
	})
	d.guardShare(a)
	most := max(1, int(math.Floor(a.Prune.MaxAtOnce*float64(a.live)+rounding)))
	room := most - a.approved
	next := a.batch.At.Add(a.Prune.After)
	if a.batch.Count > 0 && d.now.Before(next) {
		room -= a.batch.Count
	}
	for _, n := range a.due {
		switch {
		case n.conn.Busy || room > 0:
			d.prune(n, "no longer listed")
			room--
		default:
			d.plan.hold(n.name, a.Name, fmt.Sprintf("waits its turn: %d at once, the next %s later", most, a.Prune.After))
			d.waitUntil(next)
			d.keep(n)
		}
	}
}

// rounding is what a share of a whole number may be off by: 0.29 of 100 is 29.
const rounding = 1e-9

// guardShare keeps the due nodes if too large a share would go. Of a block that has left
// the file they are those that it would keep if it was only renamed: of its nodes and
// those of the blocks that ask its queries now.
func (d *differ) guardShare(a *app) {
	due, rest, live := a.due, []*node(nil), a.live
	if a.Removed {
		due, rest, live = a.moved()
	}
	going := len(due) + a.approved
	if len(due) == 0 || float64(going) <= a.Prune.MaxShare*float64(live)+rounding {
		return
	}
	reason := fmt.Sprintf("%d of %d live nodes of %s would go; max_share is %g", going, live, a.Name, a.Prune.MaxShare)
	for _, n := range due {
		d.plan.guard(n.name, a.Name, reason)
		d.keep(n)
	}
	a.due = rest
}

// moved are the due nodes whose queries other blocks ask now, and the rest; live is how
// many nodes all these blocks have.
func (a *app) moved() (due, rest []*node, live int) {
	live = a.live
	into := map[*app]bool{a: true}
	for _, n := range a.due {
		if len(n.movedTo) == 0 {
			rest = append(rest, n)
			continue
		}
		due = append(due, n)
		for _, b := range n.movedTo {
			if !into[b] {
				into[b] = true
				live += b.live
			}
		}
	}
	return due, rest, live
}

// prune cuts n, unless that or a resync is under way.
func (d *differ) prune(n *node, reason string) {
	if n.conn.Busy {
		d.plan.hold(n.name, n.conn.App, "under way")
		return
	}
	d.plan.do(Prune, n.name, n.conn.App, reason)
}

// keep resyncs a node that is held, as if it were listed. The hold says enough
// of it.
func (d *differ) keep(n *node) {
	c := n.conn
	n.app.offerKept(n)
	switch {
	case c.Busy || c.Synced == c.Creation:
	case d.now.Before(c.RetryAt):
		d.plan.wakeAt(c.RetryAt)
	default:
		d.plan.do(Resync, n.name, c.App, "new incarnation")
	}
}

// waitUntil wakes at t if that is to come.
func (d *differ) waitUntil(t time.Time) {
	if d.now.Before(t) {
		d.plan.wakeAt(t)
	}
}
