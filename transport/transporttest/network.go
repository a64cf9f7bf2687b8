// Package transporttest is a transport without a network: nodes in memory whose
// links can be broken, for tests of what dials them, and Suite, the tests that
// every transport.Dialer must pass.
//
// A Network holds nodes. A Dialer is one seat on it: what a controller is given
// in place of a real node. Terms pass through the external term format as they
// would on the wire, so that what a test sees is what a node would send: true is
// an atom, []byte comes as a string.
//
// It imitates no clock, no latency and no packet: a Call runs its Handler and
// returns. A link ends when a test breaks it, when the node dies, or by Close. It
// works inside a testing/synctest bubble.
package transporttest

import (
	"context"
	"sync"

	"ehc/transport"
)

// Network is nodes that can be dialled. Its methods, and those of its nodes, are
// safe for concurrent use.
type Network struct {
	mu      sync.Mutex
	nodes   map[string]*Node
	dialers []*Dialer
	running sync.WaitGroup // handlers
	closed  bool           // no handler starts any more
	next    uint32         // creation
}

// NewNetwork returns a network without nodes. Its owner calls Close, after which
// nothing can be dialled.
func NewNetwork() *Network { return &Network{nodes: map[string]*Node{}} }

// Node is a peer in memory. A new one is up, accepts every cookie and knows no
// function and no server.
type Node struct {
	net  *Network
	name string

	mu        sync.Mutex
	creation  uint32
	up        bool
	refuse    error
	hidden    bool
	cookie    *transport.Cookie
	frozen    chan struct{} // closed when thawed; nil while not frozen
	functions map[transport.Function]transport.Handler
	servers   map[string]transport.Handler
	inboxes   map[string]func(from string, message transport.Term)
	calls     map[string]int
	dials     int
	pools     map[string]int // of Phoenix.PubSub's servers; nil without a scope
}

// Add puts a node on the network, up at once, and returns it; the one that is
// there already if the name is known.
func (n *Network) Add(name string) *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.nodes[name]; p != nil {
		return p
	}
	n.next++
	p := &Node{
		net: n, name: name, up: true, creation: n.next,
		functions: map[transport.Function]transport.Handler{},
		servers:   map[string]transport.Handler{},
		inboxes:   map[string]func(string, transport.Term){},
		calls:     map[string]int{},
	}
	n.nodes[name] = p
	return p
}

// Node returns the node with this name, nil if there is none.
func (n *Network) Node(name string) *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[name]
}

// Close breaks every link and returns once no handler runs any more.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	dialers := n.dialers
	n.mu.Unlock()
	for _, d := range dialers {
		d.close()
	}
	n.running.Wait()
}

// start runs a handler, unless the network is closed.
func (n *Network) start(handle func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.running.Go(handle)
	return true
}

// Name is the node's full name.
func (p *Node) Name() string { return p.name }

// Handle makes the node answer a function. A nil handler makes it undefined
// again. A handler's error reaches the caller as it is if it is a
// *transport.RaisedError, SpawnError or SignalError; any other becomes the
// raised error {error, Text}.
func (p *Node) Handle(f transport.Function, h transport.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.functions[f] = h; h == nil {
		delete(p.functions, f)
	}
}

// HandleServer makes the node answer gen_server calls of a name; args[0] is the
// request. A nil handler unregisters the name. An error is the server's exit
// reason, unless it is a *transport.SignalError.
func (p *Node) HandleServer(name string, h transport.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.servers[name] = h; h == nil {
		delete(p.servers, name)
	}
}

// Receive hands the messages that are sent to a name to f, in the order in which
// they were sent by each dialer; a cast comes as {'$gen_cast', Request}. f must
// not block.
func (p *Node) Receive(name string, f func(from string, message transport.Term)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inboxes[name] = f
}

// Refuse makes every dial fail with this cause until it is nil again. Links that
// are up stay.
func (p *Node) Refuse(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = cause
}

// RequireCookie makes the node reject dials that do not offer this cookie.
func (p *Node) RequireCookie(c transport.Cookie) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cookie = &c
}

// Hide makes the links that are made from now on hidden.
func (p *Node) Hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hidden = true
}

// Break cuts the node's links, as a network would. The node stays up.
func (p *Node) Break() { p.cut(transport.ErrDown) }

// BreakWith is Break with this reason for the Observer to hear.
func (p *Node) BreakWith(why error) { p.cut(why) }

// Kill takes the node down and cuts its links: dials fail with ErrNotListed until
// Restart.
func (p *Node) Kill() {
	p.mu.Lock()
	p.up = false
	p.mu.Unlock()
	p.cut(transport.ErrDown)
}

// Restart is Kill if the node is up, and then brings it up as a new incarnation.
func (p *Node) Restart() {
	p.Kill()
	p.net.mu.Lock()
	p.net.next++
	creation := p.net.next
	p.net.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up, p.creation = true, creation
}

// Freeze makes the node silent: dials and calls wait until Thaw, their contexts'
// end or the end of the link.
func (p *Node) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

// Thaw lets a frozen node answer again.
func (p *Node) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// Calls is how often module:function, of any arity, was called or cast, and "name"
// how often a server was called.
func (p *Node) Calls(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[what]
}

// Dials is how many dials have reached the node, refused ones included.
func (p *Node) Dials() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// thawed returns once the node is not frozen.
func (p *Node) thawed(ctx context.Context) error {
	for {
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen == nil {
			return nil
		}
		select {
		case <-frozen:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Node) cut(why error) {
	for _, d := range p.net.seats() {
		if c := d.conn(p.name); c != nil {
			c.end(why)
		}
	}
}
