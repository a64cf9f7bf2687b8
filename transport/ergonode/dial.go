package ergonode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
)

const (
	// connectTimeout and handshakeTimeout are what Erlang nodes allow themselves
	// (net_setuptime).
	connectTimeout   = 7 * time.Second
	handshakeTimeout = 7 * time.Second
	// yieldTimeout is how long a dial that gave way waits for the peer's own.
	yieldTimeout = 2 * time.Second
	// maxAddrs is how many addresses of a host are tried.
	maxAddrs = 4
)

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
// connection and the handshake may take: 10, 7 and 7 seconds, each address and
// cookie anew, or as ctx says.
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
	p.mu.Lock()
	if p.link != nil {
		defer p.mu.Unlock()
		return p.link, nil
	}
	a := p.attempt
	if a == nil {
		if a = p.begin(t); a == nil {
			p.mu.Unlock()
			return nil, transport.ErrClosed
		}
	}
	a.wanted++
	p.mu.Unlock()
	select {
	case <-a.done:
		return a.link, a.err
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if a.wanted--; a.wanted == 0 {
			a.cancel(ctx.Err())
			p.forget(a) // who comes now starts anew
		}
		return nil, ctx.Err()
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

// yield waits for the connection that the peer made in place of ours.
func (p *peer) yield(a *attempt, why error) (*link, error) {
	p.mu.Lock()
	a.yields = true
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(a.ctx, yieldTimeout)
	defer cancel()
	if l := p.up(ctx); l != nil {
		return l, nil
	}
	return nil, why
}

// connect tries the node's addresses in turn.
func (n *Node) connect(ctx context.Context, t transport.Target) (*link, error) {
	name, host, _ := strings.Cut(t.Node, "@")
	addrs, err := resolve(ctx, t.Addr, host)
	if err != nil {
		return nil, n.cause(ctx, err)
	}
	cookies := t.Cookies
	if len(cookies) == 0 {
		cookies = n.o.Cookies
	}
	for _, addr := range addrs {
		var l *link
		if l, err = n.connectAt(ctx, addr, name, t, cookies); err == nil {
			return l, nil
		}
		if !errors.Is(err, transport.ErrUnreachable) && !errors.Is(err, transport.ErrNotListed) {
			break
		}
	}
	return nil, n.cause(ctx, err)
}

// resolve gives the addresses of a target, one at least.
func resolve(ctx context.Context, addr netip.Addr, host string) ([]netip.Addr, error) {
	if addr.IsValid() {
		return []netip.Addr{addr}, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, unreachable(err)
	}
	return addrs[:min(len(addrs), maxAddrs)], nil
}

// connectAt tries the cookies in turn, each in a connection of its own.
func (n *Node) connectAt(ctx context.Context, addr netip.Addr, name string, t transport.Target, cookies []transport.Cookie) (*link, error) {
	port := t.Port
	if port == 0 {
		listing, err := epmd.Lookup(ctx, netip.AddrPortFrom(addr, n.o.EPMDPort), name)
		if err != nil {
			return nil, err
		}
		port = listing.Port
	}
	var err error
	for _, cookie := range cookies {
		var nc net.Conn
		var with dist.Node
		nc, with, err = n.handshake(ctx, netip.AddrPortFrom(addr, port), t.Node, cookie)
		if err == nil {
			return n.establish(ctx, nc, with, false)
		}
		if !errors.Is(err, transport.ErrCookie) {
			break
		}
	}
	return nil, err
}

// handshake opens a connection and proves who we are.
func (n *Node) handshake(ctx context.Context, at netip.AddrPort, want string, cookie transport.Cookie) (net.Conn, dist.Node, error) {
	d := net.Dialer{Timeout: connectTimeout}
	nc, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, dist.Node{}, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(handshakeTimeout))
	with, err := dist.Dial(nc, dist.DialOptions{Local: n.self, Want: want, Cookie: cookie})
	if err == nil && !stop() {
		err = ctx.Err()
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		stop()
		_ = nc.Close()
		return nil, dist.Node{}, err
	}
	return nc, with, nil
}

// unreachable names the cause of an error of the network before the handshake.
func unreachable(err error) error {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%w: %w", transport.ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", transport.ErrUnreachable, err)
}

// cause puts why we ended a dial ourselves in place of what that did to it.
func (n *Node) cause(ctx context.Context, err error) error {
	if n.ctx.Err() != nil {
		return transport.ErrClosed
	}
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}
