package controller

import (
	"fmt"
	"strings"

	"ehc/state"
)

// running tells of an app's machines on Fly: whether all that are deployed are
// started. It is nil for an app of which no query can learn that.
func running(snap state.Snapshot, a state.App) []state.Condition {
	asks := map[string]bool{}
	for _, q := range a.Queries {
		if q.Kind == state.LookupFly {
			asks[q.Text] = true
		}
	}
	if len(asks) == 0 {
		return nil
	}
	deployed, stopped, known := 0, 0, false
	var which []string
	for _, q := range snap.Queries() {
		if q.App != a.Name || !asks[q.Name] || !q.Known {
			continue
		}
		known = true
		deployed, stopped = deployed+q.Machines.Deployed, stopped+q.Machines.Stopped
		if q.Machines.Which != "" {
			which = append(which, q.Machines.Which)
		}
	}
	c := state.Condition{Type: condRunning, Status: isTrue, Reason: reasonRunning,
		Message: fmt.Sprintf("%d of %d machines started", deployed-stopped, deployed)}
	switch {
	case !known:
		c.Status, c.Reason, c.Message = isUnknown, reasonNotLookedUp, "the machines are not known yet"
	case deployed == 0:
		c.Status, c.Reason, c.Message = isFalse, reasonNoMachines, "Fly lists no machine"
	case stopped > 0:
		c.Status, c.Reason = isFalse, reasonMachineStopped
		c.Message += "; stopped: " + strings.Join(which, ", ")
	}
	return []state.Condition{c}
}
