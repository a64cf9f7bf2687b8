package state

import (
	"cmp"
	"slices"
)

// PubSubPeer is what a node that is connected shows of Phoenix.PubSub.
type PubSubPeer struct {
	Node Node
	// Scope says that its pg scope has answered; without one it takes no part.
	Scope bool
	// Pools is how large the pools of the servers that are followed are there, ordered
	// by server. One that is missing is deaf.
	Pools []PubSubPool
	// Others are servers that it has and that nobody follows, ordered.
	Others []string
}

// PubSubPool is the pool of one server on one node.
type PubSubPool struct {
	Server string
	Size   int
}

// Pool is how large the pool of a server is there; 0 if it is deaf.
func (p PubSubPeer) Pool(server string) int {
	i, ok := slices.BinarySearchFunc(p.Pools, server, func(q PubSubPool, s string) int { return cmp.Compare(q.Server, s) })
	if !ok {
		return 0
	}
	return p.Pools[i].Size
}

func samePubSub(a, b PubSubPeer) bool {
	return a.Node == b.Node && a.Scope == b.Scope && slices.Equal(a.Pools, b.Pools) && slices.Equal(a.Others, b.Others)
}

// RecordPubSub records what a node shows, in place of what it showed before. Of one
// that is not connected it records nothing. The row leaves with the connection.
func (s *Store) RecordPubSub(p PubSubPeer) error {
	return s.write("PubSub of "+string(p.Node), func(w *write) error {
		if c, _ := connTable.get(w.txn, key(string(p.Node))); c.Phase == Up {
			pubsubTable.put(w, p)
		}
		return nil
	})
}

// forgetPubSub takes out what a node showed.
func (w *write) forgetPubSub(n Node) {
	if p, ok := pubsubTable.get(w.txn, key(string(n))); ok {
		pubsubTable.remove(w, p)
	}
}
