package ergonode

import (
	"context"
	"errors"
	"fmt"

	"ehc/transport"
	"ehc/transport/dist"
)

// maxAddrs is how many addresses of a host are tried.
const maxAddrs = 4

// attempt is a dial under way, shared by all who want the node.
type attempt struct {
	ctx    context.Context // ends when nobody waits any more
	cancel context.CancelCauseFunc
	wanted int           // who waits; guarded by peer.mu
	yields bool          // gave way, and waits for the peer's dial; guarded by peer.mu
	abort  func(error)   // ends the dial itself
	done   chan struct{} // closed once link or err is set
	link   *link
	err    error
}

// Dial connects to a node, see transport.Dialer. Two dials to one node at once
// share one attempt, the cookies of the first. It takes as long as EPMD, the
// connection and the handshake may take: 10 seconds and twice SetupTimeout, each
// address and cookie anew, or as ctx says. The handshake of TLS, a host to resolve and
// a peer that it gives way to may take another SetupTimeout each.
//
// When both ends dial at once, the dial of the node with the greater name wins;
// ours then returns the peer's connection, or ErrYielded if it does not come.
func (n *Node) Dial(ctx context.Context, t transport.Target) (transport.Conn, error) {
	l, err := n.dial(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", t.Node, err)
	}
	return l, nil
}

func (n *Node) dial(ctx context.Context, t transport.Target) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := dist.CheckName(t.Node); err != nil || t.Node == n.self.Name {
		return nil, fmt.Errorf("%w: nobody to dial", transport.ErrName)
	}
	if n.ctx.Err() != nil {
		return nil, transport.ErrClosed
	}
	p := n.hold(t.Node)
	defer p.drop()
	a, l, err := p.join(ctx, t)
	if a == nil {
		return l, err
	}
	select {
	case <-a.done:
		return a.link, a.err
	case <-ctx.Done():
		p.leave(a, ctx.Err())
		return nil, ctx.Err()
	}
}

// join takes part in the attempt that is under way, or in a new one. It waits for a link
// that is on its way up or down before, and gives the link in place of an attempt if one
// is up.
func (p *peer) join(ctx context.Context, t transport.Target) (*attempt, *link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.link != nil || p.coming > 0 {
		l, change := p.link, (<-chan struct{})(p.changed)
		if l != nil && l.ctx.Err() == nil {
			return nil, l, nil
		}
		if l != nil {
			change = l.down
		}
		p.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
		}
		p.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
	a := p.attempt
	if a == nil {
		if a = p.begin(t); a == nil {
			return nil, nil, transport.ErrClosed
		}
	}
	a.wanted++
	return a, nil, nil
}

// leave gives up waiting for an attempt, and ends it if nobody waits any more.
func (p *peer) leave(a *attempt, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.wanted--; a.wanted == 0 {
		a.cancel(why)
		p.forget(a) // who comes now starts anew
	}
}

// forget makes room for another attempt; the lock is held.
func (p *peer) forget(a *attempt) {
	if p.attempt == a {
		p.attempt = nil
	}
}

// begin starts an attempt; the lock is held. nil says that the node has stopped.
func (p *peer) begin(t transport.Target) *attempt {
	a := &attempt{done: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancelCause(p.node.ctx)
	dialling, abort := context.WithCancelCause(a.ctx)
	a.abort = abort
	p.node.hold(p.name)
	started := p.node.goDo(func() {
		defer p.drop()
		defer a.cancel(nil)
		defer abort(nil)
		l, err := p.node.connect(dialling, t)
		if errors.Is(err, transport.ErrYielded) {
			l, err = p.yield(a, err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forget(a)
		a.link, a.err = l, err
		close(a.done)
	})
	if !started {
		a.cancel(nil)
		p.drop()
		return nil
	}
	p.attempt = a
	return a
}

// yield waits for the connection that the peer makes in place of ours, as long as its
// handshake may take.
func (p *peer) yield(a *attempt, why error) (*link, error) {
	p.mu.Lock()
	a.yields = true
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(a.ctx, p.node.o.SetupTimeout)
	defer cancel()
	if l := p.up(ctx); l != nil {
		return l, nil
	}
	return nil, why
}
