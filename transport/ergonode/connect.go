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

// connect makes a link.
func (n *Node) connect(ctx context.Context, t transport.Target) (*link, error) {
	return reach(ctx, n, t, func(at netip.AddrPort, cookie transport.Cookie, _ int) (*link, error) {
		nc, with, err := n.handshake(ctx, at, t.Node, cookie)
		if err != nil {
			return nil, err
		}
		return n.establish(ctx, nc, with, false)
	})
}

// reach has the addresses of a target tried in turn, and at each of them the cookies in
// turn, of which try is told the place.
func reach[T any](ctx context.Context, n *Node, t transport.Target, try func(netip.AddrPort, transport.Cookie, int) (T, error)) (T, error) {
	var none T
	name, host, _ := strings.Cut(t.Node, "@")
	addrs, err := n.resolve(ctx, t.Addr, host)
	if err != nil {
		return none, n.cause(ctx, err)
	}
	cookies := t.Cookies
	if len(cookies) == 0 {
		cookies = n.o.Cookies
	}
	got, err := inTurn(addrs, elsewhere, func(addr netip.Addr, _ int) (T, error) {
		port, err := n.portOf(ctx, addr, name, t.Port)
		if err != nil {
			return none, err
		}
		refused := func(err error) bool { return errors.Is(err, transport.ErrCookie) }
		return inTurn(cookies, refused, func(c transport.Cookie, i int) (T, error) {
			return try(netip.AddrPortFrom(addr, port), c, i)
		})
	})
	if err != nil {
		return none, n.cause(ctx, err)
	}
	return got, nil
}

// elsewhere says whether another address of a host may be better than the one that
// gave err: nobody is there, or nobody who says a word, as on a network of the host's
// two that does not come through to here.
func elsewhere(err error) bool {
	return errors.Is(err, transport.ErrUnreachable) || errors.Is(err, transport.ErrNotListed) || errors.Is(err, transport.ErrTimeout)
}

// inTurn tries one after the other, as long as an error is of those that lead on.
func inTurn[X, T any](all []X, on func(error) bool, try func(X, int) (T, error)) (got T, err error) {
	for i, x := range all {
		if got, err = try(x, i); err == nil || !on(err) {
			break
		}
	}
	return got, err
}

// resolve gives the addresses of a target, one at least.
func (n *Node) resolve(ctx context.Context, addr netip.Addr, host string) ([]netip.Addr, error) {
	if addr.IsValid() {
		return []netip.Addr{addr}, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, n.o.SetupTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, unreachable(err)
	}
	return addrs[:min(len(addrs), maxAddrs)], nil
}

// portOf is where a node accepts connections, which EPMD knows if the target does not.
func (n *Node) portOf(ctx context.Context, addr netip.Addr, name string, known uint16) (uint16, error) {
	if known != 0 {
		return known, nil
	}
	listing, err := epmd.Lookup(ctx, netip.AddrPortFrom(addr, n.o.EPMDPort), name)
	return listing.Port, err
}

// handshake opens a connection and proves who we are.
func (n *Node) handshake(ctx context.Context, at netip.AddrPort, want string, cookie transport.Cookie) (net.Conn, dist.Node, error) {
	d := net.Dialer{Timeout: n.o.SetupTimeout}
	raw, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, dist.Node{}, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	_, host, _ := strings.Cut(want, "@")
	var with dist.Node
	nc, err := n.secure(raw, host)
	if err == nil {
		_ = nc.SetDeadline(time.Now().Add(n.o.SetupTimeout))
		with, err = dist.Dial(nc, dist.DialOptions{Local: n.self, Want: want, Cookie: cookie,
			Keep: func() bool { return n.met(want) }, Wide: n.o.TLS != nil})
		err = alerted(err)
	}
	if err == nil && !stop() {
		err = ctx.Err()
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		stop()
		_ = raw.Close()
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
