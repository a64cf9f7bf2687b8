package ergonode

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"ehc/transport"
	"ehc/transport/dist"
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
	return reach(ctx, n, t, func(at netip.AddrPort, c transport.Cookie, i int) (transport.Probed, error) {
		other := &Node{o: n.o, self: stranger(n.self.Name)}
		nc, with, err := other.handshake(ctx, at, t.Node, c)
		if err != nil {
			return transport.Probed{}, err
		}
		_ = nc.Close() // all is learned
		return transport.Probed{
			Peer: transport.Peer{Node: with.Name, Creation: with.Creation, Hidden: with.Flags.Hidden()},
			Port: at.Port(), Flags: with.Flags.String(), Cookie: i,
		}, nil
	})
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
