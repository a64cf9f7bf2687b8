package transporttest

import (
	"context"
	"fmt"
	"sync"

	"ehc/transport"
)

// Dialer is a transport.Dialer on a Network.
type Dialer struct {
	net      *Network
	self     string
	observer transport.Observer
	cookies  []transport.Cookie
	pubsub   party

	mu    sync.Mutex
	slots map[string]*slot
}

// slot is what a dialer knows of one node. Its tokens keep order: whoever holds
// dialling makes the only attempt, whoever holds telling may call the Observer.
type slot struct {
	dialling chan struct{} // room for one
	telling  sync.Mutex

	mu   sync.Mutex
	conn *conn // the one that is up
}

// Dialer returns a new seat on the network: self is its own name, o hears of its
// connections and may be nil, cookies are those it offers when a Target has none.
func (n *Network) Dialer(self string, o transport.Observer, cookies ...transport.Cookie) *Dialer {
	if o == nil {
		o = deaf{}
	}
	d := &Dialer{net: n, self: self, observer: o, cookies: cookies, slots: map[string]*slot{}}
	n.mu.Lock()
	n.dialers = append(n.dialers, d)
	n.mu.Unlock()
	return d
}

type deaf struct{}

// Up does nothing.
func (deaf) Up(transport.Conn) {}

// Down does nothing.
func (deaf) Down(transport.Conn, error) {}

func (d *Dialer) slot(name string) *slot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.slots[name]
	if s == nil {
		s = &slot{dialling: make(chan struct{}, 1)}
		d.slots[name] = s
	}
	return s
}

// conn is the connection to a node that is up, nil if there is none.
func (d *Dialer) conn(name string) *conn {
	s := d.slot(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

func (d *Dialer) close() {
	d.mu.Lock()
	names := make([]string, 0, len(d.slots))
	for name := range d.slots {
		names = append(names, name)
	}
	d.mu.Unlock()
	for _, name := range names {
		if c := d.conn(name); c != nil {
			c.end(transport.ErrClosed)
		}
	}
}

// Dial connects to a node of the network; Addr and Port of the target do not
// matter. A node that is down or unknown is ErrNotListed.
func (d *Dialer) Dial(ctx context.Context, t transport.Target) (transport.Conn, error) {
	c, err := d.dial(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", t.Node, err)
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, t transport.Target) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := d.slot(t.Node)
	select {
	case s.dialling <- struct{}{}:
		defer func() { <-s.dialling }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := d.conn(t.Node); c != nil {
		if c.ctx.Err() == nil {
			return c, nil
		}
		<-c.down // it is on its way down
	}
	p := d.net.Node(t.Node)
	if p == nil {
		return nil, transport.ErrNotListed
	}
	cookies := t.Cookies
	if len(cookies) == 0 {
		cookies = d.cookies
	}
	peer, err := p.greet(ctx, cookies)
	if err != nil {
		return nil, err
	}
	c := d.up(s, p, peer)
	if !p.lives(peer.Creation) { // killed between the greeting and here
		c.end(transport.ErrDown)
	}
	return c, nil
}

// lives says whether an incarnation is the one that is up.
func (p *Node) lives(creation uint32) bool {
	p.net.mu.Lock()
	closed := p.net.closed
	p.net.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return !closed && p.up && p.creation == creation
}

// greet is the node's side of a handshake.
func (p *Node) greet(ctx context.Context, cookies []transport.Cookie) (transport.Peer, error) {
	p.mu.Lock()
	p.dials++
	p.mu.Unlock()
	if err := p.thawed(ctx); err != nil {
		return transport.Peer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.refuse != nil:
		return transport.Peer{}, p.refuse
	case !p.up:
		return transport.Peer{}, transport.ErrNotListed
	case p.cookie != nil && !offers(cookies, *p.cookie):
		return transport.Peer{}, transport.ErrCookie
	}
	return transport.Peer{Node: p.name, Creation: p.creation, Hidden: p.hidden}, nil
}

func offers(cookies []transport.Cookie, want transport.Cookie) bool {
	for _, c := range cookies {
		if c == want {
			return true
		}
	}
	return false
}

// up makes a connection and tells the Observer before anyone else can have it.
func (d *Dialer) up(s *slot, p *Node, peer transport.Peer) *conn {
	ctx, cancel := context.WithCancel(context.Background())
	c := &conn{d: d, slot: s, node: p, peer: peer, ctx: ctx, cancel: cancel, down: make(chan struct{})}
	s.telling.Lock()
	defer s.telling.Unlock()
	d.observer.Up(c)
	d.shown(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	return c
}

// Connect lets the node dial d, which gets a connection with Accepted set that
// replaces the one that was up. It returns d's end of it.
func (p *Node) Connect(d *Dialer) transport.Conn {
	s := d.slot(p.name)
	s.dialling <- struct{}{}
	defer func() { <-s.dialling }()
	if old := d.conn(p.name); old != nil {
		old.end(transport.ErrReplaced)
	}
	p.mu.Lock()
	peer := transport.Peer{Node: p.name, Creation: p.creation, Hidden: p.hidden, Accepted: true}
	p.mu.Unlock()
	return d.up(s, p, peer)
}

// Probe greets a node and keeps nothing; see transport.Prober.
func (d *Dialer) Probe(ctx context.Context, t transport.Target) (transport.Probed, error) {
	p := d.net.Node(t.Node)
	if p == nil {
		return transport.Probed{}, fmt.Errorf("probe %s: %w", t.Node, transport.ErrNotListed)
	}
	cookies := t.Cookies
	if len(cookies) == 0 {
		cookies = d.cookies
	}
	peer, err := p.greet(ctx, cookies)
	if err != nil {
		return transport.Probed{}, fmt.Errorf("probe %s: %w", t.Node, err)
	}
	return transport.Probed{Peer: peer}, nil
}
