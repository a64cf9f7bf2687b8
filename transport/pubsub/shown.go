package pubsub

import (
	"maps"
	"slices"

	"ehc/transport"
)

// Changed returns what those nodes show of which that is known and has, or may have,
// changed since the last call, in the order of their names.
func (s *Scope) Changed() []transport.PubSubPeer {
	var out []transport.PubSubPeer
	for _, node := range slices.Sorted(maps.Keys(s.unspoken)) {
		if shown, ok := s.Shown(node); ok {
			out = append(out, shown)
		}
	}
	clear(s.unspoken)
	return out
}

// Shown is what a node shows, unless that is not known yet.
func (s *Scope) Shown(node string) (transport.PubSubPeer, bool) {
	p := s.peers[node]
	if p == nil || !p.synced && !p.absent {
		return transport.PubSubPeer{}, false
	}
	shown := transport.PubSubPeer{Node: node, Scope: p.synced, Pools: map[string]int{}, Dropped: p.dropped}
	others := map[string]bool{}
	for g := range p.members {
		if _, followed := s.pools[g.Server]; followed {
			shown.Pools[g.Server] = max(shown.Pools[g.Server], g.Number)
		} else {
			others[g.Server] = true
		}
	}
	shown.Others = slices.Sorted(maps.Keys(others))
	return shown, true
}
