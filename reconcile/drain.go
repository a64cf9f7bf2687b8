package reconcile

import (
	"cmp"
	"fmt"

	"ehc/state"
)

// drain delivers what waits for an app, if the app takes events and a node of it
// can take them. Where there is no such node, the node's own row says why.
func (d *differ) drain(b state.Backlog) {
	a := d.apps[b.App]
	if a == nil || a.Removed || a.Deliver == nil || b.Pending == 0 {
		return
	}
	through := cmp.Or(a.drainer, a.kept)
	if through == "" {
		return
	}
	message := b.Message
	if message != "" {
		message = "handler: " + message
	}
	switch {
	case a.halted:
		d.plan.hold(through, b.App, Suspended)
	case b.Draining:
		d.plan.hold(through, b.App, stalled(message, "draining"))
	case d.now.Before(b.RetryAt):
		d.plan.hold(through, b.App, stalled(message, "backing off"))
		d.plan.wakeAt(b.RetryAt)
	case b.Pending == 1:
		d.plan.do(Drain, through, b.App, "1 event waiting")
	default:
		d.plan.do(Drain, through, b.App, fmt.Sprintf("%d events waiting", b.Pending))
	}
}
