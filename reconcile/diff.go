package reconcile

import (
	"time"

	"ehc/state"
)

// Diff returns the plan that moves live towards desired, as of now. It is a pure
// function: the same facts give the same plan, in whatever order they come, and
// doing the plan leaves nothing to do until a fact or the time has changed.
//
// For each node the first row that fits:
//
//	link      listed  and                                   plan
//	up        -       no app claims it                      nothing: it is not ours
//	down      no                                            nothing
//	down      yes     every app that lists it is suspended  held
//	up        yes     its app and every other that lists    nothing
//	                  it are suspended, and it is resynced
//	up        -       the same, and it is not               held
//	down      yes     RetryAt is to come                    held, wake at RetryAt
//	down      yes                                           connect
//	dialling  yes                                           held
//	up        yes     resynced with this incarnation        nothing
//	up        yes     busy                                  held
//	up        yes     RetryAt is to come                    held, wake at RetryAt
//	up        yes                                           resync
//	up        no      busy                                  held
//	up        no      a person has approved                 prune
//	up        no      a query of its app, or that listed    kept
//	                  it and is another app's now, failed,
//	                  or has not been answered yet
//	up        no      no query of its app, or of that       kept by a guard
//	                  other one, finds a node, and that is
//	                  not allowed
//	up        no      unlisted for less than Prune.After    kept, wake then
//	up        no      of the app's live nodes more than     kept by a guard
//	                  Prune.MaxShare would go
//	up        no      as many have gone as may at once      kept, wake one
//	                                                        Prune.After later
//	up        no                                            prune
//
// A node that came up by itself and no query has listed yet counts as unlisted
// since then. A kept node is held, and resynced like a listed one. An app whose
// block has left cluster.hcl asked for its nodes to go: only the approval, the grace
// and the number at once matter to them. If it was only renamed, so that another app
// asks their queries, what these answer and the share matter, too, of both apps' nodes.
//
// For each app with a handler and events that wait, through one of its nodes:
// of those that are up, listed, resynced and not busy, or else of those that are
// kept, the first by name after the one on which a drain failed last, in a
// circle:
//
//	the app is suspended      held
//	a drain is under way      held
//	RetryAt is to come        held, wake at RetryAt
//	otherwise                 drain
func Diff(desired state.Desired, live state.Live, now time.Time) Plan {
	f := gather(desired, live)
	d := differ{facts: f, now: now}
	for i := range f.nodes {
		d.judge(&f.nodes[i])
	}
	for _, a := range f.apps {
		d.release(a)
	}
	for _, b := range live.Backlogs {
		d.drain(b)
	}
	d.plan.sort()
	return d.plan
}

// differ carries one call of Diff.
type differ struct {
	*facts
	now  time.Time
	plan Plan
}

func (d *differ) judge(n *node) {
	switch {
	case n.conn.Phase != state.Up && n.wanted:
		d.dial(n)
	case n.conn.Phase != state.Up || n.app == nil:
	case n.app.halted && (!n.wanted || n.halted):
		d.leave(n)
	case n.wanted:
		n.app.live++
		d.tend(n)
	default:
		n.app.live++
		d.expire(n)
	}
}

// dial connects a node that should be up and is not.
func (d *differ) dial(n *node) {
	c := n.conn
	switch {
	case n.halted:
		d.plan.hold(n.name, n.wantedBy, Suspended)
	case c.Phase == state.Dialling:
		d.plan.hold(n.name, n.wantedBy, stalled(c.Message, "dialling"))
	case d.now.Before(c.RetryAt):
		d.plan.hold(n.name, n.wantedBy, stalled(c.Message, "backing off"))
		d.plan.wakeAt(c.RetryAt)
	case c.Message != "":
		d.plan.do(Connect, n.name, n.wantedBy, "retry after: "+c.Message)
	default:
		d.plan.do(Connect, n.name, n.wantedBy, "listed, not connected")
	}
}

// tend resyncs a listed node that is up, if it needs that.
func (d *differ) tend(n *node) {
	c, app := n.conn, n.conn.App
	if n.app.halted {
		app = n.wantedBy
	}
	switch {
	case c.Busy:
		d.plan.hold(n.name, app, stalled(c.Message, "under way"))
	case c.Synced == c.Creation:
	case d.now.Before(c.RetryAt):
		d.plan.hold(n.name, app, stalled(c.Message, "backing off"))
		d.plan.wakeAt(c.RetryAt)
	default:
		d.plan.do(Resync, n.name, app, "new incarnation")
	}
}

// leave holds a live node of a suspended app, if there would be something to do.
func (d *differ) leave(n *node) {
	if !n.wanted || n.conn.Synced != n.conn.Creation {
		d.plan.hold(n.name, n.conn.App, Suspended)
	}
}

// stalled is why something waits that has failed before with message, or else
// what it waits for. It says the same while the next try is under way, so that a
// plan does not flicker from one try to the next.
func stalled(message, otherwise string) string {
	if message == "" {
		return otherwise
	}
	return message + "; backing off"
}
