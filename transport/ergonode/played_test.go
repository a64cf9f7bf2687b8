package ergonode

import (
	"context"
	"net"
	"runtime"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// played is a node that does nothing by itself: it listens to nobody, and what runs
// are its handlers.
func played(t testing.TB, h transport.Handler) *Node {
	t.Helper()
	o, err := everything(h).checked()
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{o: o, peers: map[string]*peer{}, self: dist.Node{Name: o.Name, Creation: o.Creation, Flags: dist.Offer(false, true)}}
	n.ctx, n.end = context.WithCancel(context.Background())
	t.Cleanup(n.Stop)
	if n.seat, err = sit(o.Name, o.Creation); err == nil {
		err = n.serve()
	}
	if err != nil {
		t.Fatal(err)
	}
	n.party = newParty(n, o.PubSub)
	n.Follow([]transport.PubSubServer{{Name: "A.PubSub"}})
	return n
}

// unheard is nobody's PubSub.
type unheard struct{}

func (unheard) Heard(transport.PubSubMessage) {}
func (unheard) Shown(transport.PubSubPeer)    {}

// playedLink is a link without goroutines, on which calls of ours wait.
type playedLink struct {
	*link
	ended int // of those calls
}

const ourCalls = 3

func play(n *Node, name string, creation uint32) *playedLink {
	near, _ := net.Pipe()
	p := n.hold(name)
	l := &playedLink{link: newLink(p, near, dist.Node{Name: name, Creation: creation, Flags: dist.Offer(false, true)}, true)}
	p.mu.Lock()
	p.link = l.link
	p.mu.Unlock()
	n.party.up(l.link)
	l.askUser()
	for range ourCalls {
		_, id := n.mint(refCall)
		_ = l.expect(id, &call{then: func(result) { l.ended++ }})
	}
	return l
}

// said is what is to be sent since the last time: signals that a peer keeps the
// connection for.
func (l *playedLink) said(t testing.TB) (all []dist.Control) {
	t.Helper()
	for _, frame := range l.queue.take(nil) {
		c, err := dist.Parse(frame[4:], l.decoder)
		if err == nil && c.Payload != nil {
			var rest []byte
			if _, rest, err = l.decoder.Term(c.Payload); len(rest) > 0 {
				t.Errorf("%x follows a signal", rest)
			}
		}
		if err != nil {
			t.Fatalf("%x is sent: %v", frame, err)
		}
		switch c.Op {
		case dist.OpExit, dist.OpUnlinkIDAck:
			if c.To.Creation != l.with.Creation {
				t.Errorf("%+v is sent to a former incarnation", c)
			}
			fallthrough
		case dist.OpExit2, dist.OpMonitor:
			if !l.node.named(c.From) {
				t.Errorf("%+v is sent for a process of another node", c)
			}
		}
		all = append(all, c)
	}
	return all
}

// call calls the server, and returns once it has answered.
func (l *playedLink) call(t testing.TB) {
	t.Helper()
	caller := etf.Pid{Node: etf.Atom(l.with.Name), ID: 1, Creation: l.with.Creation}
	payload, err := etf.Append(nil, etf.Tuple{genCallTag, etf.Tuple{caller, 1}, etf.Atom("ok")})
	if err != nil {
		t.Fatal(err)
	}
	l.dispatch(dist.Control{Op: dist.OpRegSend, From: caller, Name: "s", Payload: payload})
	for l.callers() > 0 {
		runtime.Gosched()
	}
}

// callers is how many calls of the peer's have no answer yet.
func (l *playedLink) callers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.inbound)
}

func (l *playedLink) hangUp(t testing.TB) {
	t.Helper()
	l.end(transport.ErrClosed)
	l.peer.gone(l.link, l.why)
	if l.ended != ourCalls {
		t.Errorf("%d calls of ours have ended %d times", ourCalls, l.ended)
	}
}
