package controller

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/outbox"
)

// The types of condition.
const (
	condDiscovered   = "Discovered"
	condConnected    = "Connected"
	condSynced       = "Synced"
	condActive       = "Active"
	condDrained      = "Drained"
	condOutboxIntact = "OutboxIntact"
	condRunning      = "Running"
)

// Status of a condition.
const (
	isTrue    = "True"
	isFalse   = "False"
	isUnknown = "Unknown"
)

// conditions are what holds of each app of the file, and of each node:
//
//	            app                                    node
//	Discovered  its queries work and list nodes        a query lists it
//	Connected   every listed node is up                it is up
//	Synced      every listed node that is up has been  it has been
//	            resynced since it started
//
// only of a node, if the file has a pubsub block:
//
//	PubSub        it shows the servers of the file, with pools of the usual size
//
// and, only of an app:
//
//	Active        it is not suspended
//
// of one with a query of the kind "fly:":
//
//	Running       every machine that is deployed is started
//
// and of one that gets events:
//
//	Drained       nothing waits in its queue
//	OutboxIntact  what waits is as it was written
//
// They are worked out from one snapshot, and have a Since only where that tells it.
func (c *Controller) conditions(snap state.Snapshot, apps []state.App) []state.Conditions {
	nodes := judged(snap, c.config.Spec().PubSub)
	rows := c.appConditions(snap, apps, nodes)
	for _, n := range nodes {
		rows = append(rows, n.conditions(snap.Generation()))
	}
	return rows
}

// appConditions are those of apps alone.
func (c *Controller) appConditions(snap state.Snapshot, apps []state.App, nodes []nodeRow) []state.Conditions {
	damage := map[string]*outbox.DamageError{}
	for _, q := range c.box.Stats() {
		damage[q.App] = q.Damage
	}
	halted := map[string]time.Time{}
	for _, s := range snap.Suspended() {
		halted[s.App] = s.At
	}
	tallies := map[string]*tally{}
	for _, n := range nodes {
		t := tallies[n.conn.App]
		if t == nil {
			t = &tally{}
			tallies[n.conn.App] = t
		}
		t.count(n)
	}
	var rows []state.Conditions
	for _, a := range apps {
		t := tallies[a.Name]
		if t == nil {
			t = &tally{}
		}
		of := []state.Condition{active(halted[a.Name]), discovered(snap, a, t.wanted), t.connected(), t.synced()}
		of = append(of, running(snap, a)...)
		if a.Deliver != nil {
			of = append(of, drained(snap.Backlog(a.Name)), intact(damage[a.Name]))
		}
		rows = append(rows, state.Conditions{App: a.Name, Of: ofGeneration(of, snap.Generation())})
	}
	return rows
}

// ofGeneration marks conditions with the file in force that they speak of.
func ofGeneration(of []state.Condition, generation uint64) []state.Condition {
	for i := range of {
		of[i].Generation = generation
	}
	return of
}

// standing are the conditions of row as the API gives them. One that no pass has
// seen yet begins now.
func standing(snap state.Snapshot, row state.Conditions, now time.Time) []api.Condition {
	seen := state.Conditions{Of: snap.Conditions(row.App, row.Node)}
	out := []api.Condition{}
	for _, x := range row.Of {
		since := x.Since
		if was := seen.Named(x.Type); was.Status == x.Status {
			since = was.Since
		} else if since.IsZero() {
			since = now
		}
		out = append(out, api.Condition{
			Type: x.Type, Status: x.Status, Reason: x.Reason, Message: x.Message,
			Since: since, ObservedGeneration: x.Generation,
		})
	}
	return out
}

// tally is how an app's listed nodes fare.
type tally struct {
	wanted, up, current int
	why                 string // one of the nodes that is down, and why
}

func (t *tally) count(n nodeRow) {
	if !n.listed {
		return
	}
	t.wanted++
	switch {
	case n.conn.Phase != state.Up:
		if n.conn.Message != "" {
			t.why = fmt.Sprintf("%s: %s", n.conn.Node, n.conn.Message)
		}
	case n.conn.Synced == n.conn.Creation:
		t.up, t.current = t.up+1, t.current+1
	default:
		t.up++
	}
}

func (t *tally) connected() state.Condition {
	if t.wanted == 0 { // to be connected to all of nothing is no comfort
		return state.Condition{Type: condConnected, Status: isFalse, Reason: reasonNoNodes, Message: "no node is listed"}
	}
	return outOf(condConnected, reasonConnected, reasonNotConnected, t.up, t.wanted, t.why)
}

func (t *tally) synced() state.Condition {
	return outOf(condSynced, reasonSynced, reasonNotSynced, t.current, t.up, "")
}

// outOf is a condition that holds when have of want do.
func outOf(kind, holds, otherwise string, have, want int, why string) state.Condition {
	c := state.Condition{Type: kind, Status: isTrue, Reason: holds, Message: fmt.Sprintf("%d of %d", have, want)}
	if have < want {
		c.Status, c.Reason = isFalse, otherwise
		if why != "" {
			c.Message += "; " + why
		}
	}
	return c
}

func active(haltedAt time.Time) state.Condition {
	if !haltedAt.IsZero() {
		return state.Condition{Type: condActive, Status: isFalse, Reason: reasonSuspended,
			Message: "a person has suspended it: nothing is connected, pruned, resynced or delivered"}
	}
	return state.Condition{Type: condActive, Status: isTrue, Reason: reasonActive, Message: "not suspended"}
}

func discovered(snap state.Snapshot, a state.App, wanted int) state.Condition {
	c := state.Condition{Type: condDiscovered, Status: isTrue, Reason: reasonListed, Message: fmt.Sprintf("%d listed", wanted)}
	var failed, unasked, barren []string
	known := true
	for _, q := range snap.Queries() {
		if q.App != a.Name {
			continue
		}
		known = known && (q.Known || q.Err != "")
		if q.Err != "" {
			failed = append(failed, q.Name+": "+q.Err)
		}
		if q.Unasked != "" {
			unasked = append(unasked, q.Unasked)
		}
		if q.Barren != "" {
			barren = append(barren, q.Name+": "+q.Barren)
		}
	}
	switch {
	case len(failed) > 0:
		c.Status, c.Reason, c.Message = isFalse, reasonLookupFailed, strings.Join(failed, "; ")
	case !known:
		c.Status, c.Reason, c.Message = isUnknown, reasonNotLookedUp, "the first lookup is under way"
	case len(unasked) > 0:
		c.Status, c.Reason, c.Message = isFalse, reasonEPMDUnreachable, strings.Join(unasked, "; ")
	case wanted == 0:
		c.Status, c.Reason, c.Message = isFalse, reasonNoNodes, cmp.Or(strings.Join(barren, "; "), "the queries list no node")
	}
	return c
}

func drained(b state.Backlog) state.Condition {
	switch {
	case b.Pending == 0:
		return state.Condition{Type: condDrained, Status: isTrue, Reason: reasonDrained, Message: "nothing waits"}
	case b.Reason != "":
		return state.Condition{Type: condDrained, Status: isFalse, Reason: b.Reason, Message: b.Message}
	}
	return state.Condition{Type: condDrained, Status: isFalse, Reason: reasonWaiting, Message: "events wait"}
}

// intact tells of damage, at which the queue stands still until a person drops it.
func intact(damage *outbox.DamageError) state.Condition {
	if damage != nil {
		return state.Condition{Type: condOutboxIntact, Status: isFalse, Reason: reasonDamaged, Message: damage.Error()}
	}
	return state.Condition{Type: condOutboxIntact, Status: isTrue, Reason: reasonIntact, Message: "no damage found"}
}
