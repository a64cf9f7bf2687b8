package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/outbox"
)

// Status says how things stand, from one snapshot of the store.
func (c *Controller) Status(context.Context) (api.Status, error) {
	snap := c.store.Snapshot()
	current, problem := c.config.inForce()
	spec := c.config.Spec()
	s := api.Status{
		Index:   snap.Index(),
		Node:    string(c.config.started.Node.Name),
		Cookie:  Cookies(c.config.started.Node.Cookies)[0].Fingerprint(),
		Version: c.version,
		Config: api.Config{
			File: current.File, AppliedAt: current.At, Error: problem,
			RestartRequired: c.config.RestartRequired(spec),
		},
		Nodes:    nodes(snap),
		Apps:     []api.App{},
		Outbox:   c.queues(snap),
		Warnings: c.warnings,
	}
	damage := map[string]*outbox.DamageError{}
	for _, q := range c.box.Stats() {
		damage[q.App] = q.Damage
	}
	for _, a := range spec.Apps {
		s.Apps = append(s.Apps, api.App{App: a.Name, Conditions: conditions(snap, a, damage[a.Name])})
	}
	return s, nil
}

// nodes are those with a connection, live or lost, and those that a query lists.
func nodes(snap state.Snapshot) []api.Node {
	listed, app := map[state.Node]bool{}, map[state.Node]string{}
	for _, p := range snap.Peers() {
		listed[p.Node] = listed[p.Node] || p.GoneSince.IsZero()
		if app[p.Node] == "" {
			app[p.Node] = p.App
		}
	}
	out := []api.Node{}
	for _, c := range snap.Conns() {
		out = append(out, node(c, listed[c.Node]))
		delete(app, c.Node)
	}
	for n, a := range app {
		out = append(out, node(state.Conn{Node: n, App: a}, listed[n]))
	}
	slices.SortFunc(out, func(a, b api.Node) int { return cmp.Compare(a.Node, b.Node) })
	return out
}

func node(c state.Conn, listed bool) api.Node {
	phase := state.Down
	if c.Phase == state.Up {
		phase = state.Up
	}
	return api.Node{
		Node: string(c.Node), App: c.App, Phase: phase.String(), Since: c.Since, Creation: c.Creation,
		Release: c.Release, Reason: c.Reason, Message: c.Message, RetryAt: c.RetryAt, Listed: listed,
	}
}

// queues are those of the apps that get events, and those in which events of an
// app that no longer does still wait.
func (c *Controller) queues(snap state.Snapshot) []api.OutboxApp {
	byApp, damage := map[string]api.OutboxApp{}, map[string]string{}
	for _, a := range c.config.Spec().Apps {
		if a.Deliver != nil {
			byApp[a.Name] = api.OutboxApp{App: a.Name}
		}
	}
	for _, s := range c.box.Stats() {
		byApp[s.App] = api.OutboxApp{App: s.App, Pending: s.Pending, Dead: s.Dead, Bytes: s.Bytes, Oldest: s.Oldest}
		if s.Damage != nil {
			damage[s.App] = s.Damage.Error()
		}
	}
	out := []api.OutboxApp{}
	for _, q := range byApp {
		b := snap.Backlog(q.App)
		q.RetryAt, q.Reason, q.Message = b.RetryAt, b.Reason, b.Message
		if why := damage[q.App]; why != "" {
			q.Reason, q.Message = "Damaged", why
		}
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b api.OutboxApp) int { return cmp.Compare(a.App, b.App) })
	return out
}

// conditions are what holds for an app:
//
//	Discovered  its queries work and list nodes
//	Connected   every listed node is up
//	Synced      every node that is up has been resynced since it started
//
// and, only for an app that gets events:
//
//	Drained       nothing waits in its queue
//	OutboxIntact  what waits is as it was written
func conditions(snap state.Snapshot, a state.App, damage *outbox.DamageError) []api.Condition {
	wanted, up, synced := 0, 0, 0
	why := ""
	for _, n := range nodes(snap) {
		if n.App != a.Name || !n.Listed {
			continue
		}
		wanted++
		conn := snap.Conn(state.Node(n.Node))
		switch {
		case conn.Phase != state.Up:
			if conn.Message != "" {
				why = fmt.Sprintf("%s: %s", n.Node, conn.Message)
			}
		case conn.Synced == conn.Creation:
			up, synced = up+1, synced+1
		default:
			up++
		}
	}
	connected := tally("Connected", "NotConnected", up, wanted, why)
	if wanted == 0 { // to be connected to all of nothing is no comfort
		connected.Status, connected.Reason, connected.Message = "False", "NoNodes", "no node is listed"
	}
	out := []api.Condition{discovered(snap, a, wanted), connected, tally("Synced", "NotSynced", synced, up, "")}
	if a.Deliver != nil {
		out = append(out, drained(snap.Backlog(a.Name)), intact(damage))
	}
	return out
}

func discovered(snap state.Snapshot, a state.App, wanted int) api.Condition {
	c := api.Condition{Type: "Discovered", Status: "True", Reason: "Listed", Message: fmt.Sprintf("%d listed", wanted)}
	var failed, unasked []string
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
	}
	switch {
	case len(failed) > 0:
		c.Status, c.Reason, c.Message = "False", "LookupFailed", strings.Join(failed, "; ")
	case !known:
		c.Status, c.Reason, c.Message = "Unknown", "NotLookedUp", "the first lookup is under way"
	case len(unasked) > 0:
		c.Status, c.Reason, c.Message = "False", "EPMDUnreachable", strings.Join(unasked, "; ")
	case wanted == 0:
		c.Status, c.Reason, c.Message = "False", "NoNodes", "the queries list no node"
	}
	return c
}

// tally is a condition that holds when have of want do.
func tally(kind, otherwise string, have, want int, why string) api.Condition {
	c := api.Condition{Type: kind, Status: "True", Reason: kind, Message: fmt.Sprintf("%d of %d", have, want)}
	if have < want {
		c.Status, c.Reason = "False", otherwise
		if why != "" {
			c.Message += "; " + why
		}
	}
	return c
}

func drained(b state.Backlog) api.Condition {
	switch {
	case b.Pending == 0:
		return api.Condition{Type: "Drained", Status: "True", Reason: "Drained", Message: "nothing waits"}
	case b.Reason != "":
		return api.Condition{Type: "Drained", Status: "False", Reason: b.Reason, Message: b.Message}
	}
	return api.Condition{Type: "Drained", Status: "False", Reason: "Waiting", Message: "events wait"}
}

// intact tells of damage, at which the queue stands still until a person drops it.
func intact(damage *outbox.DamageError) api.Condition {
	if damage != nil {
		return api.Condition{Type: "OutboxIntact", Status: "False", Reason: "Damaged", Message: damage.Error()}
	}
	return api.Condition{Type: "OutboxIntact", Status: "True", Reason: "Intact", Message: "no damage found"}
}
