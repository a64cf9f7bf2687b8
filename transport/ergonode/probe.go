package ergonode

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
)

// Prober tries nodes without being one: it listens nowhere, is in no EPMD and keeps
// no connection.
type Prober struct{ node *Node }

var (
	_ transport.Prober = (*Prober)(nil)
	_ transport.Prober = (*Node)(nil)
)

// NewProber returns a Prober that stands at the host of o.Name. It uses o's
// Cookies, EPMDPort and TLS.
func NewProber(o Options) (*Prober, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	n := &Node{o: o, self: dist.Node{Name: o.Name}}
	n.ctx, n.end = context.WithCancel(context.Background()) // never ended: nothing runs
	return &Prober{node: n}, nil
}

// Probe tries a node, see transport.Prober.
func (p *Prober) Probe(ctx context.Context, t transport.Target) (transport.Probed, error) {
	return p.node.Probe(ctx, t)
}

// Probe tries a node, see transport.Prober.
func (n *Node) Probe(ctx context.Context, t transport.Target) (transport.Probed, error) {
	got, err := n.probe(ctx, t)
	if err != nil {
		return transport.Probed{}, fmt.Errorf("probe %s: %w", t.Node, err)
	}
	return got, nil
}

func (n *Node) probe(ctx context.Context, t transport.Target) (transport.Probed, error) {
	if err := dist.CheckName(t.Node); err != nil {
		return transport.Probed{}, fmt.Errorf("%w: %w", transport.ErrName, err)
	}
	name, host, _ := strings.Cut(t.Node, "@")
	addrs, err := resolve(ctx, t.Addr, host)
	if err != nil {
		return transport.Probed{}, n.cause(ctx, err)
	}
	cookies := t.Cookies
	if len(cookies) == 0 {
		cookies = n.o.Cookies
	}
	var got transport.Probed
	for _, addr := range addrs {
		got, err = n.probeAt(ctx, addr, name, t, cookies)
		if err == nil || !errors.Is(err, transport.ErrUnreachable) && !errors.Is(err, transport.ErrNotListed) {
			break
		}
	}
	if err != nil {
		return transport.Probed{}, n.cause(ctx, err)
	}
	return got, nil
}

// probeAt shakes hands at one address, as a node that nobody else is.
func (n *Node) probeAt(ctx context.Context, addr netip.Addr, name string, t transport.Target, cookies []transport.Cookie) (transport.Probed, error) {
	port := t.Port
	if port == 0 {
		listing, err := epmd.Lookup(ctx, netip.AddrPortFrom(addr, n.o.EPMDPort), name)
		if err != nil {
			return transport.Probed{}, err
		}
		port = listing.Port
	}
	var err error
	for i, cookie := range cookies {
		stranger := &Node{o: n.o, self: stranger(n.self.Name)}
		nc, with, failed := stranger.handshake(ctx, netip.AddrPortFrom(addr, port), t.Node, cookie)
		if failed == nil {
			_ = nc.Close() // all is learned
			return transport.Probed{
				Peer: transport.Peer{Node: with.Name, Creation: with.Creation, Hidden: with.Flags.Hidden()},
				Port: port, Flags: with.Flags.String(), Cookie: i,
			}, nil
		}
		if err = failed; !errors.Is(err, transport.ErrCookie) {
			break
		}
	}
	return transport.Probed{}, err
}

// stranger is a hidden node at the same host as name, under a name of its own.
func stranger(name string) dist.Node {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	_, host, _ := strings.Cut(name, "@")
	return dist.Node{
		Name: "ehc-probe-" + hex.EncodeToString(b[:]) + "@" + host, Creation: random(), Flags: dist.Offer(false, false),
	}
}
