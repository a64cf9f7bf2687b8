package transporttest

import (
	"maps"
	"slices"
	"sync"

	"ehc/transport"
)

// party is a dialer's part in Phoenix.PubSub.
type party struct {
	mu       sync.Mutex
	listener transport.PubSubListener
	follows  map[string]bool
}

var _ transport.PubSub = (*Dialer)(nil)

// Listen makes l hear what Phoenix.PubSub brings, as ergonode.Options.PubSub does. It
// is to be called before anything is dialled.
func (d *Dialer) Listen(l transport.PubSubListener) {
	d.pubsub.mu.Lock()
	defer d.pubsub.mu.Unlock()
	d.pubsub.listener = l
}

// Follow implements transport.PubSub.
func (d *Dialer) Follow(servers []transport.PubSubServer) {
	follows := map[string]bool{}
	for _, s := range servers {
		follows[s.Name] = true
	}
	d.pubsub.mu.Lock()
	d.pubsub.follows = follows
	d.pubsub.mu.Unlock()
	d.mu.Lock()
	names := slices.Sorted(maps.Keys(d.slots))
	d.mu.Unlock()
	for _, name := range names {
		d.look(d.slot(name))
	}
}

// look tells what a node shows, if it is connected.
func (d *Dialer) look(s *slot) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	c := s.conn
	s.mu.Unlock()
	if c != nil {
		d.shown(c.node)
	}
}

// shown tells what a node shows; the slot's telling is held.
func (d *Dialer) shown(p *Node) {
	d.pubsub.mu.Lock()
	defer d.pubsub.mu.Unlock()
	if d.pubsub.listener == nil || len(d.pubsub.follows) == 0 {
		return
	}
	p.mu.Lock()
	pools := p.pools
	p.mu.Unlock()
	shown := transport.PubSubPeer{Node: p.name, Scope: pools != nil, Pools: map[string]int{}}
	for _, server := range slices.Sorted(maps.Keys(pools)) {
		if d.pubsub.follows[server] {
			shown.Pools[server] = pools[server]
		} else {
			shown.Others = append(shown.Others, server)
		}
	}
	d.pubsub.listener.Shown(shown)
}

// ShowPubSub makes the node show Phoenix.PubSub's servers with these sizes of their
// pools; nil makes it have no scope, as a new node.
func (p *Node) ShowPubSub(pools map[string]int) {
	p.mu.Lock()
	p.pools = maps.Clone(pools)
	p.mu.Unlock()
	for _, d := range p.net.seats() {
		d.look(d.slot(p.name))
	}
}

// Broadcast is a broadcast on the node: those who follow the server hear of it, if the
// node shows it. What dialers broadcast comes as a message to the server's adapter:
// see Receive.
func (p *Node) Broadcast(server, topic string, message transport.Term) {
	carried, err := carry(message)
	if err != nil {
		panic(err) // of the test
	}
	p.mu.Lock()
	here := p.pools[server] > 0
	p.mu.Unlock()
	for _, d := range p.net.seats() {
		d.pubsub.mu.Lock()
		l, follows := d.pubsub.listener, d.pubsub.follows[server]
		d.pubsub.mu.Unlock()
		if here && l != nil && follows && d.conn(p.name) != nil {
			l.Heard(transport.PubSubMessage{Server: server, Topic: topic, Node: p.name, Message: carried})
		}
	}
}

// seats are the dialers on the network.
func (n *Network) seats() []*Dialer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dialers)
}
