package ergonode

import (
	"context"
	"fmt"
	"net"
	"sync"

	"ehc/transport"
	"ehc/transport/dist"
)

// peer is what the node knows of one other node while there is something to know:
// it is dialled, or a link to it is up.
//
//	           Dial                 handshake done
//	unknown ─────────▶ dialling ──────────────────────▶ up ──▶ unknown
//	   │                  │ the peer's own dial wins     ▲
//	   └──────────────────┴──────────────────────────────┘
//	                  the peer dialled us
type peer struct {
	node *Node
	name string
	held int // by dials and links; guarded by Node.mu

	// mu is held while the Observer is told, so that it hears of one node in the
	// order in which things happened.
	mu      sync.Mutex
	link    *link
	attempt *attempt
	coming  int           // how many connections the peer counts as up, and we not yet
	changed chan struct{} // closed when link is set, or coming is less
}

// hold returns the entry of a node, to be dropped later.
func (n *Node) hold(name string) *peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peers[name]
	if p == nil {
		p = &peer{node: n, name: name, changed: make(chan struct{})}
		n.peers[name] = p
	}
	p.held++
	return p
}

func (p *peer) drop() {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.held--; p.held == 0 {
		delete(p.node.peers, p.name)
	}
}

// known returns the entry of a node if there is one.
func (n *Node) known(name string) *peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peers[name]
}

// linked returns the link to a node if it is up.
func (n *Node) linked(name string) *link {
	p := n.known(name)
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// met says whether a link to a node is up, or on its way up.
func (n *Node) met(name string) bool {
	p := n.known(name)
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.coming > 0 || p.link != nil && p.link.ctx.Err() == nil
}

// links returns every link that is up.
func (n *Node) links() []*link {
	n.mu.Lock()
	peers := make([]*peer, 0, len(n.peers))
	for _, p := range n.peers {
		peers = append(peers, p)
	}
	n.mu.Unlock()
	var up []*link
	for _, p := range peers {
		p.mu.Lock()
		if p.link != nil {
			up = append(up, p.link)
		}
		p.mu.Unlock()
	}
	return up
}

// establish puts a finished connection into service. One that is up already is
// replaced: the peer has agreed to this one after it. ctx is the dial's, if we
// dialled: once it has ended the connection is not wanted any more.
func (n *Node) establish(ctx context.Context, nc net.Conn, with dist.Node, accepted bool) (*link, error) {
	p := n.hold(with.Name)
	p.mu.Lock()
	for p.link != nil {
		old := p.link
		p.mu.Unlock()
		old.end(transport.ErrReplaced)
		<-old.down
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	l := newLink(p, nc, with, accepted)
	err := context.Cause(ctx)
	if err == nil {
		err = n.seat.adopt(l)
	}
	if err != nil {
		_ = nc.Close()
		p.drop()
		return nil, fmt.Errorf("link to %s: %w", with.Name, err)
	}
	p.link = l
	n.o.Observer.Up(l) // before anything that the peer says
	n.party.up(l)
	n.running.Go(l.run)
	p.tell()
	return l, nil
}

// tell wakes all who wait for a change; the lock is held.
func (p *peer) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// arriving says that the peer is about to hear that it is in. Until arrived is
// called, which drops the entry, a dial waits for that connection: one of its own
// would end it.
func (p *peer) arriving() (arrived func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.coming++
	return func() {
		p.mu.Lock()
		p.coming--
		p.tell()
		p.mu.Unlock()
		p.drop()
	}
}

// gone is the end of a link: nothing of it runs any more.
func (p *peer) gone(l *link, why error) {
	p.mu.Lock()
	p.link = nil
	p.node.party.down(l)
	p.node.o.Observer.Down(l, why)
	p.mu.Unlock()
	p.drop()
}

// up waits until a link is up or ctx ends.
func (p *peer) up(ctx context.Context) *link {
	for {
		p.mu.Lock()
		l, changed := p.link, p.changed
		p.mu.Unlock()
		if l != nil {
			return l
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
