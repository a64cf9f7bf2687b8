package ergonode

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
	"ehc/transport/transporttest/corpus"
	"ehc/transport/transporttest/port"
)

// ourCreation makes what was captured from nodes mean our processes again.
const ourCreation = 0x11223344

// answering is a node with something of everything that a peer can ask for.
func answering(t testing.TB, epmdPort uint16) *Node {
	t.Helper()
	o := everything(func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		return etf.List(args), nil
	})
	o.EPMDPort, o.Listen = epmdPort, netip.MustParseAddr("127.0.0.1")
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	n.Follow([]transport.PubSubServer{{Name: "A.PubSub"}})
	return n
}

func everything(h transport.Handler) Options {
	return Options{Name: "ehc@127.0.0.1", Creation: ourCreation, Cookies: []transport.Cookie{transport.NewCookie("monster")},
		Functions: map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: h},
		Servers:   map[string]transport.Handler{"s": h}, PubSub: unheard{}}
}

// FuzzLink has a peer that is in say anything, with headers or without. Whatever that
// is, the link ends for it or for the end of the connection, and the node answers the
// next peer.
func FuzzLink(f *testing.F) {
	corpus.Hurry(f)
	n := answering(f, port.Free(f))
	f.Add(uint32(7), false, []byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, creation uint32, headed bool, says []byte) {
		n.minted.Store(0) // references and pids are what they were when a seed was captured
		n.pids.Store(0)
		l, far := meet(t, n, "a@127.0.0.1", creation, headed)
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(io.Discard, far) })
		_, _ = far.Write(says)
		_ = far.Close()
		reading.Wait()
		<-l.down
		l.mu.Lock() // handlers may still run
		if l.why == nil || len(l.calls)+len(l.watches)+len(l.bonds)+len(l.inbound)+len(l.waiting)+len(l.spawned) > 0 {
			t.Errorf("the link ended with %v and holds something", l.why)
		}
		l.mu.Unlock()

		l, far = meet(t, n, "b@127.0.0.1", creation, false)
		if err := ping(far, l.with); err != nil {
			t.Errorf("the next peer is not answered: %v", err)
		}
		_ = far.Close()
		<-l.down
	})
}

func meet(t *testing.T, n *Node, name string, creation uint32, headed bool) (*link, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	with := dist.Node{Name: name, Creation: creation, Flags: dist.Offer(false, true)}
	if !headed {
		with.Flags &^= dist.FlagDistHdrAtomCache
	}
	l, err := n.establish(n.ctx, untimed{near}, with, true)
	if err != nil {
		t.Fatal(err)
	}
	return l, far
}

// untimed has no deadlines: the timers of a pipe outlive it.
type untimed struct{ net.Conn }

func (untimed) SetWriteDeadline(time.Time) error { return nil }

// ping asks as a node does that is in, without headers, and waits for the answer.
func ping(far net.Conn, self dist.Node) error {
	_ = far.SetReadDeadline(time.Now().Add(5 * time.Minute))
	defer func() { _ = far.SetReadDeadline(time.Time{}) }()
	us := etf.Pid{Node: etf.Atom(self.Name), ID: 1, Creation: self.Creation}
	b, err := dist.AppendRegSend(nil, us, netKernel)
	if err == nil {
		b, err = etf.Append(b, etf.Tuple{genCallTag, etf.Tuple{us, 1}, etf.Tuple{etf.Atom("is_auth"), us.Node}})
	}
	if err == nil {
		_, err = far.Write(dist.Seal(b))
	}
	for r := bufio.NewReader(far); err == nil; {
		var c dist.Control
		if b, err = dist.ReadFrame(r, 1<<20); len(b) > 0 {
			c, err = dist.Parse(b, etf.NewDecoder(etf.DefaultLimits()))
		}
		if c.Op == dist.OpSend && c.To == us && string(c.Payload) == "h\x02a\x01w\x03yes" {
			return nil
		}
	}
	return err
}
