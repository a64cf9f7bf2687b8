package controller

import (
	"cmp"
	"fmt"
	"slices"

	"ehc/state"
)

// nodeRow is a node, with what is known of the link to it and of who lists it: all
// that its conditions depend on.
type nodeRow struct {
	conn    state.Conn // of a node that was never dialled: its Node and App
	listed  bool
	queries string          // that list it
	pubsub  state.Condition // its Type is empty if there is none
}

// nodeRows are the nodes with a connection, live or lost, and those that a query
// lists, ordered by name.
func nodeRows(snap state.Snapshot) []nodeRow {
	at := map[state.Node]*nodeRow{}
	for _, p := range snap.Peers() {
		n := at[p.Node]
		if n == nil {
			n = &nodeRow{conn: state.Conn{Node: p.Node, App: p.App}}
			at[p.Node] = n
		}
		if p.GoneSince.IsZero() {
			if n.listed {
				n.queries += ", "
			}
			n.listed = true
			n.queries += p.Query
		}
	}
	for _, c := range snap.Conns() {
		n := at[c.Node]
		if n == nil {
			n = &nodeRow{}
			at[c.Node] = n
		}
		n.conn = c
	}
	out := make([]nodeRow, 0, len(at))
	for _, n := range at {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b nodeRow) int { return cmp.Compare(a.conn.Node, b.conn.Node) })
	return out
}

// conditions are what holds of the node, see Controller.conditions.
func (n nodeRow) conditions(generation uint64) state.Conditions {
	of := []state.Condition{n.discovered(), n.connected(), n.synced()}
	if n.pubsub.Type != "" {
		of = append(of, n.pubsub)
	}
	return state.Conditions{Node: n.conn.Node, Of: ofGeneration(of, generation)}
}

func (n nodeRow) discovered() state.Condition {
	c := state.Condition{Type: condDiscovered, Status: isFalse, Reason: reasonUnlisted, Message: "no query lists it"}
	switch {
	case n.listed:
		c.Status, c.Reason, c.Message = isTrue, reasonListed, "listed by "+n.queries
	case n.conn.App == "":
		c.Reason, c.Message = reasonUnclaimed, "it dialled in, and no peer block claims it"
	}
	return c
}

func (n nodeRow) connected() state.Condition {
	c := state.Condition{Type: condConnected, Status: isFalse, Reason: reasonNotDialled, Message: "not dialled yet", Since: n.conn.Since}
	switch {
	case n.conn.Phase == state.Up:
		c.Status, c.Reason, c.Message = isTrue, reasonConnected, fmt.Sprintf("incarnation %d", n.conn.Creation)
	case n.conn.Reason != "":
		c.Reason, c.Message = n.conn.Reason, n.conn.Message
	case n.conn.Phase == state.Dialling:
		c.Reason, c.Message = reasonDialling, "the first dial is under way"
	}
	return c
}

func (n nodeRow) synced() state.Condition {
	c := state.Condition{Type: condSynced, Status: isFalse, Reason: reasonNotSynced, Message: "not resynced since it started"}
	switch {
	case n.conn.Phase != state.Up:
		c.Status, c.Reason, c.Message = isUnknown, reasonNotConnected, "not connected"
	case n.conn.App == "":
		c.Status, c.Reason, c.Message = isUnknown, reasonUnclaimed, "only nodes of a peer block are resynced"
	case n.conn.Synced == n.conn.Creation:
		c.Status, c.Reason, c.Message = isTrue, reasonSynced, "resynced with this incarnation"
	case n.conn.Reason != "":
		c.Reason, c.Message = n.conn.Reason, n.conn.Message
	}
	return c
}
