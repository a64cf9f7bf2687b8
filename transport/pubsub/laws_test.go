package pubsub_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

var self = etf.Pid{Node: "ehc@memory", ID: 8, Creation: 1}

// worker is one process for each server.
func worker(server string) etf.Pid {
	p := etf.Pid{Node: "ehc@memory", ID: 100, Creation: 1}
	for _, c := range server {
		p.ID = p.ID*31 + uint32(c)
	}
	return p
}

// node is one peer, and the link to it: two queues, each in order.
type node struct {
	name     string
	release  int
	linked   bool
	scope    *pg // nil while the app is down
	minted   uint32
	toPeer   []pubsub.Signal
	toUs     []any // an etf.Term to our scope, or an ended
	watching []etf.Pid
}

type ended struct{ pid etf.Pid }

func (n *node) pid() etf.Pid {
	n.minted++
	return etf.Pid{Node: etf.Atom(n.name), ID: n.minted, Creation: 7}
}

// world is our scope and its peers.
type world struct {
	t     *rapid.T
	scope *pubsub.Scope
	nodes map[string]*node
	ours  []transport.PubSubServer
	told  map[string]transport.PubSubPeer
}

func (w *world) do(signals []pubsub.Signal) {
	for _, s := range signals {
		if n := w.nodes[s.Node]; n.linked {
			n.toPeer = append(n.toPeer, s)
		}
	}
	for _, shown := range w.scope.Changed() {
		w.told[shown.Node] = shown
	}
}

// collect moves what a scope has sent onto the link.
func (n *node) collect() {
	if n.scope == nil {
		return
	}
	n.toUs = append(n.toUs, n.scope.sent...)
	n.scope.sent = nil
}

// step lets one signal of the link arrive.
func (w *world) step(n *node, out bool) {
	if out && len(n.toPeer) > 0 {
		s := n.toPeer[0]
		n.toPeer = n.toPeer[1:]
		there := n.scope != nil && (s.Pid == etf.Pid{} || s.Pid == n.scope.pid)
		switch {
		case s.Op == pubsub.Monitor && there:
			n.watching = append(n.watching, s.Pid)
		case s.Op == pubsub.Monitor:
			n.toUs = append(n.toUs, ended{s.Pid})
		case there:
			n.scope.handle(s.Message)
			if n.scope.crash != "" {
				w.t.Fatal(n.scope.crash)
			}
			n.collect()
		}
	}
	if !out && len(n.toUs) > 0 {
		m := n.toUs[0]
		n.toUs = n.toUs[1:]
		if e, ok := m.(ended); ok {
			w.scope.Ended(n.name, e.pid)
			w.do(nil)
			return
		}
		w.do(w.scope.Message(n.name, m))
	}
}

func (w *world) die(n *node) {
	if n.scope == nil {
		return
	}
	n.scope = nil
	for _, pid := range n.watching {
		n.toUs = append(n.toUs, ended{pid})
	}
	n.watching = nil
}

func (w *world) link(n *node, up bool) {
	if n.linked == up {
		return
	}
	n.linked, n.toPeer, n.toUs, n.watching = up, nil, nil, nil
	if n.scope != nil { // it watches our scope, and forgets it with the link
		n.scope.sent = nil
		clear(n.scope.known)
		clear(n.scope.version)
	}
	if up {
		w.do(w.scope.Up(n.name))
		return
	}
	w.scope.Down(n.name)
	delete(w.told, n.name)
}

var servers = []string{"A.PubSub", "B.PubSub", "my_pubsub"}

func (w *world) act(t *rapid.T) {
	n := w.nodes[rapid.SampledFrom(slices.Sorted(maps.Keys(w.nodes))).Draw(t, "node")]
	group := pubsub.Group{Server: rapid.SampledFrom(servers).Draw(t, "server"), Number: rapid.IntRange(1, 4).Draw(t, "number")}.Atom()
	switch rapid.SampledFrom([]string{"step", "step", "step", "link", "unlink", "die", "start", "join", "leave", "follow", "retry", "hello"}).Draw(t, "act") {
	case "step":
		w.step(n, rapid.Bool().Draw(t, "out"))
	case "link":
		w.link(n, true)
	case "unlink":
		w.link(n, false)
	case "die":
		w.die(n)
	case "start":
		if n.scope == nil {
			n.scope = newPG(n.release, n.pid())
		}
	case "join":
		if n.scope != nil {
			n.scope.join(group, n.pid(), rapid.Bool().Draw(t, "single"))
			n.collect()
		}
	case "leave":
		if n.scope != nil && len(n.scope.local[group]) > 0 {
			n.scope.leave(group, n.scope.local[group][0])
			n.collect()
		}
	case "follow":
		w.ours = nil
		for _, s := range servers {
			if rapid.Bool().Draw(t, "follow "+s) {
				w.ours = append(w.ours, transport.PubSubServer{Name: s, Pool: rapid.IntRange(0, 3).Draw(t, "pool")})
			}
		}
		w.do(w.scope.Follow(w.ours))
	case "retry":
		w.do(w.scope.Retry())
	case "hello": // a peer that sees us discovers us by itself
		if n.scope != nil && n.linked {
			n.scope.sent = append(n.scope.sent, n.scope.hello())
			n.collect()
		}
	}
}

// settle lets everything arrive, then asks again once those that had no scope.
func (w *world) settle() {
	for range 3 {
		for quiet := false; !quiet; {
			quiet = true
			for _, n := range w.nodes {
				for len(n.toPeer)+len(n.toUs) > 0 {
					quiet = false
					w.step(n, true)
					w.step(n, false)
				}
			}
		}
		w.do(w.scope.Retry())
	}
}

// Whatever happens in whatever order: no scope of a peer crashes, and once all is
// quiet each of them has each of our workers exactly once in every group, and we know
// what each of them shows.
func TestEveryPeerHasEachOfOurWorkersOnceInEveryGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, scope: pubsub.NewScope(self, worker), nodes: map[string]*node{}, told: map[string]transport.PubSubPeer{}}
		for i, release := range []int{25, 27, 29} {
			name := fmt.Sprintf("n%d@memory", i)
			w.nodes[name] = &node{name: name, release: release}
			w.nodes[name].scope = newPG(release, w.nodes[name].pid())
		}
		w.ours = []transport.PubSubServer{{Name: servers[0]}}
		w.do(w.scope.Follow(w.ours))
		for range rapid.IntRange(0, 80).Draw(t, "acts") {
			w.act(t)
		}
		w.settle()
		if len(w.ours) == 0 {
			return // nobody is asked anything
		}
		for _, n := range w.nodes {
			w.check(n)
		}
	})
}

func (w *world) check(n *node) {
	if !n.linked {
		return
	}
	shown, ok := w.told[n.name]
	if !ok || shown.Scope != (n.scope != nil) {
		w.t.Fatalf("%s (scope %v) shows %+v, known %v", n.name, n.scope != nil, shown, ok)
	}
	if n.scope == nil {
		return
	}
	for _, s := range w.ours {
		if want := n.scope.pool(s.Name); shown.Pools[s.Name] != want {
			w.t.Fatalf("%s shows a pool of %d for %s and we know %d", n.name, want, s.Name, shown.Pools[s.Name])
		}
		widest := max(s.Pool, 1)
		for _, other := range w.nodes {
			if other.linked && other.scope != nil {
				widest = max(widest, other.scope.pool(s.Name))
			}
		}
		for i := range widest {
			g := pubsub.Group{Server: s.Name, Number: i + 1}.Atom()
			if diff := cmp.Diff([]etf.Pid{worker(s.Name)}, n.scope.known[self][g]); diff != "" {
				w.t.Fatalf("%s has of us in %s: -want +got:\n%s", n.name, g, diff)
			}
		}
	}
	for g := range n.scope.known[self] {
		if of, _ := pubsub.GroupOf(g); !slices.ContainsFunc(w.ours, func(s transport.PubSubServer) bool { return s.Name == of.Server }) {
			w.t.Fatalf("%s has us in %s, which we do not follow", n.name, g)
		}
	}
}
