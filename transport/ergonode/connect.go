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
	raw, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, dist.Node{}, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	_, host, _ := strings.Cut(want, "@")
	var with dist.Node
	nc, err := n.secure(raw, host)
	if err == nil {
		_ = nc.SetDeadline(time.Now().Add(handshakeTimeout))
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
