package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ehc/state"
)

// condPubSub is of a node that is an app's, if the file has a pubsub block: it takes
// part in the servers of the file, and ehc with it.
const condPubSub = "PubSub"

// normalPools is how large the pool of each server should be: what the file says, or
// what most nodes of apps show, and of those that as many show the largest.
func normalPools(snap state.Snapshot, servers []state.PubSub) map[string]int {
	pools := map[string]int{}
	for _, s := range servers {
		pools[s.Name] = s.Pool
		if s.Pool > 0 {
			continue
		}
		votes := map[int]int{}
		for _, p := range snap.PubSub() {
			if size := p.Pool(s.Name); size > 0 && snap.Conn(p.Node).App != "" {
				votes[size]++
			}
		}
		if len(votes) > 0 {
			pools[s.Name] = slices.MaxFunc(slices.Collect(maps.Keys(votes)), func(a, b int) int {
				return cmp.Or(cmp.Compare(votes[a], votes[b]), cmp.Compare(a, b))
			})
		}
	}
	return pools
}

// judged are the nodes with what holds of each with regard to these servers.
func judged(snap state.Snapshot, servers []state.PubSub) []nodeRow {
	rows := nodeRows(snap)
	if len(servers) == 0 {
		return rows
	}
	pools := normalPools(snap, servers)
	for i := range rows {
		if n := rows[i].conn; n.App != "" {
			rows[i].pubsub = pubsubCondition(snap, n, servers, pools)
		}
	}
	return rows
}

// pubsubCondition is the condition of one node of an app.
func pubsubCondition(snap state.Snapshot, n state.Conn, servers []state.PubSub, pools map[string]int) state.Condition {
	c := state.Condition{Type: condPubSub, Status: isTrue, Reason: reasonPubSubJoined, Message: "it shows every server of the file"}
	shown, known := snap.PubSubOf(n.Node)
	switch {
	case n.Phase != state.Up:
		c.Status, c.Reason, c.Message = isUnknown, reasonNotConnected, "not connected"
		return c
	case !known:
		c.Status, c.Reason, c.Message = isUnknown, reasonPubSubUnknown, "it has not said what it shows yet"
		return c
	case !shown.Scope:
		c.Status, c.Reason = isFalse, reasonPubSubDeaf
		c.Message = "it has no pg scope Phoenix.PubSub: nothing on it has started Phoenix.PubSub, or that has ended"
		return c
	}
	var deaf, differs []string
	for _, s := range servers {
		switch size := shown.Pool(s.Name); {
		case size == 0:
			deaf = append(deaf, s.Name)
		case size != pools[s.Name]:
			differs = append(differs, fmt.Sprintf("the pool of %s is %d here and should be %d", s.Name, size, pools[s.Name]))
		}
	}
	switch {
	case len(deaf) > 0:
		c.Status, c.Reason, c.Message = isFalse, reasonPubSubDeaf, "its pg scope shows no "+strings.Join(deaf, ", ")
		if len(shown.Others) > 0 {
			c.Message += "; it shows " + strings.Join(shown.Others, ", ")
		}
	case len(differs) > 0:
		c.Status, c.Reason, c.Message = isFalse, reasonPubSubPoolDiffers, strings.Join(differs, "; ")
	}
	return c
}

// pubsubWarnings are what people should know of the nodes' PubSub although it keeps
// no plan from being carried out.
func pubsubWarnings(snap state.Snapshot, servers []state.PubSub) []string {
	var out []string
	if len(servers) == 0 {
		return nil
	}
	for _, n := range judged(snap, servers) {
		if c := n.pubsub; c.Status == isFalse {
			out = append(out, fmt.Sprintf("%s: %s: %s", n.conn.Node, c.Reason, c.Message))
		}
	}
	return out
}
