package pubsub

import (
	"maps"
	"slices"

	"ehc/transport"
	"ehc/transport/etf"
)

// Limits on what one peer can make a Scope hold. What is beyond them is left out,
// and counted as dropped.
const (
	MaxGroups  = 4096 // adapter groups
	MaxMembers = 8192 // processes in all of them
)

// Signal is something for the wire, to the node that it names.
type Signal struct {
	Node string
	Op   Op
	// Pid is the process that it is about. The zero Pid is the process that is
	// registered as ScopeName there, if there is one.
	Pid etf.Pid
	// Message is what to send it.
	Message etf.Term
}

// Op is what a Signal is.
type Op int

const (
	// Send is a message from our scope.
	Send Op = iota + 1
	// Monitor is a monitor by our scope, whose end is to be told by Ended.
	Monitor
)

// Scope is our scope process: it tells peers of which groups our workers are
// members, and learns what they show.
//
//	      Up                     sync, local_data
//	─────────────▶ asked ───────────────────────▶ known ─┐ join, leave, update
//	 monitor name,   ▲ │ Ended of the name         │  ▲  │ sync, local_data
//	 discover        │ ▼                           │  └──┘
//	           Retry absent ◀──────────────────────┘
//	                          Ended of its pid
//
// To a scope that it learns of it sends what it is a member of, and again when that
// has changed: to all after Follow; when a peer has shown a larger pool, to that peer,
// and to the others on Retry or when they have something to say. They send to no group
// that they do not show, and a peer that shows ever more costs them next to nothing.
//
//	{discover, Self}                                  to the name, on Up and on Retry;
//	                                                  to a pid that was unknown
//	{'$gen_cast', {sync, Self, [{Group, [Worker]}]}}  to a pid
//
// That is version 0 of the protocol, which OTP 23 to 29 speak; a later release
// answers in it. Join and leave are never sent: a sync says the same, and a scope
// takes it in whatever state it is, where a leave of what it does not have would end
// it (OTP 25 to 28).
//
// Our workers join the groups 1 to n of a server that is followed, where n is the
// pool that was asked for or the largest that any peer has shown, and leave none
// while the server is followed: so a restarted peer finds every group taken.
//
// A Scope is not safe for concurrent use. Its Signals are to go out in their order.
type Scope struct {
	self     etf.Pid
	worker   func(server string) etf.Pid
	pools    map[string]int // of the servers followed: how many groups are ours
	widened  int            // how often a pool has become larger
	peers    map[string]*peer
	unspoken map[string]bool // peers that show something else than Changed has told
}

// peer is a connected node.
type peer struct {
	scope   etf.Pid // zero while unknown
	absent  bool    // it has said that there is none, or that it has ended
	synced  bool    // it has said what it shows
	told    bool    // it has been sent a sync
	knows   int     // what widened was then
	members map[Group]map[etf.Pid]int
	held    int // members, each as often as it has joined
	dropped uint64
}

// NewScope returns a scope without peers that follows nothing. self is its pid, and
// worker gives the pid, always the same, that is a member for a server.
func NewScope(self etf.Pid, worker func(server string) etf.Pid) *Scope {
	return &Scope{self: self, worker: worker, pools: map[string]int{}, peers: map[string]*peer{}, unspoken: map[string]bool{}}
}

// Follow makes the workers members for these servers only.
func (s *Scope) Follow(servers []transport.PubSubServer) []Signal {
	idle := len(s.pools) == 0
	pools := map[string]int{}
	for _, f := range servers {
		pools[f.Name] = min(max(1, f.Pool), MaxPool)
	}
	s.pools = pools
	var out []Signal
	for _, node := range slices.Sorted(maps.Keys(s.peers)) {
		p := s.peers[node]
		for g := range p.members {
			s.widen(g)
		}
		s.unspoken[node] = true
		if idle && len(pools) > 0 && p.scope == (etf.Pid{}) {
			out = append(out, s.ask(node)...)
		}
	}
	return append(out, s.tellAll()...)
}

// Up is to be called when a node is connected, and before any of its messages.
func (s *Scope) Up(node string) []Signal {
	s.peers[node] = &peer{members: map[Group]map[etf.Pid]int{}}
	if len(s.pools) == 0 {
		return nil
	}
	return s.ask(node)
}

// Down is to be called when the node's connection has ended, and after all of its
// messages.
func (s *Scope) Down(node string) {
	delete(s.peers, node)
	delete(s.unspoken, node)
}

// Retry asks the nodes again that had no scope: one that starts tells a hidden node
// nothing by itself. It also tells those that have not heard of a larger pool yet. It
// is to be called from time to time.
func (s *Scope) Retry() []Signal {
	if len(s.pools) == 0 {
		return nil
	}
	var out []Signal
	for _, node := range slices.Sorted(maps.Keys(s.peers)) {
		switch p := s.peers[node]; {
		case p.absent && p.scope == (etf.Pid{}):
			out = append(out, s.ask(node)...)
		case s.behind(p):
			out = append(out, s.sync(node, p))
		}
	}
	return out
}

// ask sends what a scope answers, and what tells at once that there is none.
func (s *Scope) ask(node string) []Signal {
	return []Signal{{Node: node, Op: Monitor}, {Node: node, Op: Send, Message: s.discover()}}
}

func (s *Scope) discover() etf.Term { return etf.Tuple{etf.Atom("discover"), s.self} }

// Ended takes the end of a monitor: of the scope with this pid, or with the zero Pid
// of the one that was, or was not, registered.
func (s *Scope) Ended(node string, pid etf.Pid) {
	p := s.peers[node]
	if p == nil || pid != p.scope {
		return // of one that was replaced, or of the name of one that we watch by its pid
	}
	if !p.absent {
		s.unspoken[node] = true
	}
	*p = peer{absent: true, members: map[Group]map[etf.Pid]int{}, dropped: p.dropped}
}

// Message takes a message that a node has sent to our scope.
func (s *Scope) Message(node string, message etf.Term) []Signal {
	p := s.peers[node]
	if p == nil {
		return nil // its connection is not up yet, and will be asked then
	}
	n, ok := noteOf(message)
	if !ok || string(n.from.Node) != node || n.kind == change && n.from != p.scope {
		p.dropped++
		return nil
	}
	var out []Signal
	if n.from != p.scope {
		out = s.met(node, p, n)
	}
	if n.kind == discover {
		return slices.Insert(out, 0, s.sync(node, p))
	}
	if n.kind == replace {
		clear(p.members)
		p.held, p.synced = 0, true
	}
	s.unspoken[node] = true
	if wider := s.learn(p, n); wider || s.behind(p) {
		out = append(out, s.sync(node, p))
	}
	return out
}

// behind says whether a peer has been told of fewer groups than there are.
func (s *Scope) behind(p *peer) bool { return p.told && p.knows < s.widened }

// met takes up a scope that was unknown, in place of what the node had before.
func (s *Scope) met(node string, p *peer, n note) []Signal {
	*p = peer{scope: n.from, members: map[Group]map[etf.Pid]int{}, dropped: p.dropped}
	out := []Signal{{Node: node, Op: Monitor, Pid: n.from}}
	if n.kind == discover { // what it shows is still to be heard
		return append(out, Signal{Node: node, Op: Send, Pid: n.from, Message: s.discover()})
	}
	return out
}

// learn takes in who joins and leaves. It says whether our workers are now members
// of more groups.
func (s *Scope) learn(p *peer, n note) (wider bool) {
	for _, m := range n.join {
		for _, g := range m.groups {
			if p.join(g, m.pids) {
				wider = s.widen(g) || wider
			}
		}
	}
	for _, m := range n.leave {
		p.leave(m)
	}
	return wider
}

// widen makes our workers members of a group, if its server is followed.
func (s *Scope) widen(g Group) bool {
	n, ok := s.pools[g.Server]
	if !ok || g.Number <= n {
		return false
	}
	s.pools[g.Server] = g.Number
	s.widened++
	return true
}

// tellAll syncs with every scope that is known.
func (s *Scope) tellAll() []Signal {
	var out []Signal
	for _, node := range slices.Sorted(maps.Keys(s.peers)) {
		if p := s.peers[node]; p.scope != (etf.Pid{}) {
			out = append(out, s.sync(node, p))
		}
	}
	return out
}

// sync tells a peer's scope everything that our workers are members of.
func (s *Scope) sync(node string, p *peer) Signal {
	p.told, p.knows = true, s.widened
	groups := etf.List{}
	for _, server := range slices.Sorted(maps.Keys(s.pools)) {
		members := etf.List{s.worker(server)}
		for number := range s.pools[server] {
			groups = append(groups, etf.Tuple{Group{server, number + 1}.Atom(), members})
		}
	}
	return Signal{Node: node, Op: Send, Pid: p.scope,
		Message: etf.Tuple{etf.Atom("$gen_cast"), etf.Tuple{etf.Atom("sync"), s.self, groups}}}
}
