package ergonode

import (
	"sync"
	"sync/atomic"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

// party is the node's part in Phoenix.PubSub: the scope process, which has the name
// and the pid that a pg scope has, and a worker for each server. None of them is a
// process of ergo's: what comes for them is taken by the readers.
//
// mu is held while the listener hears what a peer shows, so that it hears of changes
// in their order. What every message is looked up in needs no lock: a peer that has
// much to show holds up no broadcast of the others.
type party struct {
	node      *Node
	self      etf.Pid
	listener  transport.PubSubListener
	following atomic.Pointer[following]

	mu      sync.Mutex
	scope   *pubsub.Scope
	links   map[string]*link
	workers map[string]etf.Pid // of every server that was ever followed
}

// following is which servers are followed, and the workers of those. It never changes.
type following struct {
	servers map[string]bool
	workers map[etf.Pid]string
}

var _ transport.PubSub = (*Node)(nil)

func newParty(n *Node, l transport.PubSubListener) *party {
	p := &party{node: n, self: n.pid(scopeID), listener: l, links: map[string]*link{}, workers: map[string]etf.Pid{}}
	p.following.Store(&following{})
	p.scope = pubsub.NewScope(p.self, func(server string) etf.Pid { return p.workers[server] })
	return p
}

// Follow implements transport.PubSub. Without Options.PubSub it does nothing.
func (n *Node) Follow(servers []transport.PubSubServer) {
	p := n.party
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := following{servers: map[string]bool{}, workers: map[etf.Pid]string{}}
	for _, s := range servers {
		if _, known := p.workers[s.Name]; !known {
			pid := n.pid(uint32(len(p.workers) + 1))
			pid.Serial = workerSerial
			p.workers[s.Name] = pid
		}
		f.servers[s.Name], f.workers[p.workers[s.Name]] = true, s.Name
	}
	before := p.following.Swap(&f)
	for worker, server := range before.workers {
		if !f.servers[server] {
			p.retire(worker, server)
		}
	}
	p.do(p.scope.Follow(servers))
}

// retire tells whoever watches a worker, or is linked to it, that it has ended. mu is
// held.
func (p *party) retire(worker etf.Pid, server string) {
	for _, l := range p.links {
		l.unwatch(etf.Atom("normal"), func(_ etf.Ref, w watch) bool {
			g, ok := pubsub.GroupOf(w.name)
			return ok && g.Server == server
		})
		l.parted(worker, etf.Atom("normal"))
	}
}

// do sends what the scope wants to be sent, and tells what has changed. mu is held.
func (p *party) do(signals []pubsub.Signal) {
	for _, s := range signals {
		l := p.links[s.Node]
		if l == nil {
			continue
		}
		if b, err := p.frame(l, s); err == nil {
			l.push(b)
		}
	}
	for _, shown := range p.scope.Changed() {
		p.listener.Shown(shown)
	}
}

func (p *party) frame(l *link, s pubsub.Signal) ([]byte, error) {
	named := s.Pid == etf.Pid{}
	if s.Op == pubsub.Monitor {
		ref, _ := p.node.mint(refScope)
		if named {
			return dist.AppendMonitorName(nil, p.self, pubsub.ScopeName, ref)
		}
		return dist.AppendMonitor(nil, p.self, s.Pid, ref), nil
	}
	b := dist.AppendSend(nil, p.self, s.Pid)
	if named {
		var err error
		if b, err = dist.AppendRegSend(nil, p.self, pubsub.ScopeName); err != nil {
			return nil, err
		}
	}
	return l.append(b, s.Message)
}

// up is called when the Observer has heard of a link.
func (p *party) up(l *link) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l.with.Name] = l
	p.do(p.scope.Up(l.with.Name))
}

// down is called before the Observer hears of a link's end.
func (p *party) down(l *link) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l.with.Name)
	p.scope.Down(l.with.Name)
}

// ended takes the end of a scope of the peer's that ours watches.
func (p *party) ended(l *link, c dist.Control) {
	if p == nil {
		return
	}
	pid := c.From
	if c.Named {
		pid = etf.Pid{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scope.Ended(l.with.Name, pid)
	p.do(nil)
}

// retry asks those again that had no scope, until the node stops.
func (p *party) retry() {
	t := time.NewTicker(p.node.o.PubSubRetry)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			p.mu.Lock()
			p.do(p.scope.Retry())
			p.mu.Unlock()
		case <-p.node.ctx.Done():
			return
		}
	}
}

// takes says whether a message is for the scope or for a worker, and takes it then.
// It is the reader's.
func (p *party) takes(l *link, c dist.Control) bool {
	if p == nil {
		return false
	}
	toScope := c.Op == dist.OpSend && c.To == p.self || c.Op == dist.OpRegSend && c.Name == pubsub.ScopeName
	server, toWorker := "", false
	if !toScope {
		if server, toWorker = p.server(c); !toWorker {
			return false
		}
	}
	t, _, err := l.decoder.Term(c.Payload)
	if err != nil {
		p.node.o.Log.Warn("message dropped", "from", l.with.Name, "to", "Phoenix.PubSub", "error", err)
		return true
	}
	if toScope {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.do(p.scope.Message(l.with.Name, t))
		return true
	}
	if topic, message, ok := pubsub.Forwarded(t); ok {
		p.listener.Heard(transport.PubSubMessage{Server: server, Topic: topic, Node: l.with.Name, Message: message, Size: len(c.Payload)})
	}
	return true
}

// server is the followed one whose worker a message is for: by its pid, or as
// Phoenix.PubSub.direct_broadcast has it, by the name of one of its groups.
func (p *party) server(c dist.Control) (string, bool) {
	f := p.following.Load()
	if c.Op == dist.OpRegSend {
		g, ok := pubsub.GroupOf(c.Name)
		return g.Server, ok && f.servers[g.Server]
	}
	name, ok := f.workers[c.To]
	return name, ok
}

// alive says whether a pid is the scope's or a worker's.
func (p *party) alive(pid etf.Pid) bool {
	if p == nil {
		return false
	}
	_, ours := p.following.Load().workers[pid]
	return ours || pid == p.self
}

// registered says whether the scope or a worker goes by a name.
func (p *party) registered(name etf.Atom) bool {
	if p == nil {
		return false
	}
	g, ok := pubsub.GroupOf(name)
	return name == pubsub.ScopeName || ok && p.following.Load().servers[g.Server]
}
