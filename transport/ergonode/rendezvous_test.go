package ergonode_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

func TestBothDialAtOnce(t *testing.T) {
	for _, c := range []struct {
		rule, peer string
		accepted   bool
	}{
		{"the peer's name is smaller, so our dial wins", "a@127.0.0.1", false},
		{"the peer's name is greater, so its dial wins and ours returns that connection", "z@127.0.0.1", true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newNews()
			n := alone(t, func(o *ergonode.Options) { o.Observer = w })
			l, port := listener(t)
			got := make(chan transport.Conn, 1)
			go func() {
				conn, err := n.Dial(within(t), transport.Target{Node: c.peer, Addr: loopback, Port: port})
				if err != nil {
					t.Error(err)
				}
				got <- conn
			}()
			f := let(t, l, c.peer) // our dial is on its way now
			_, err := knock(t, n, c.peer, cookie)
			if c.accepted != (err == nil) || err != nil && !errors.Is(err, transport.ErrYielded) {
				t.Errorf("the peer's dial: %v", err)
			}
			if !c.accepted {
				f.greet()
			}
			if conn := <-got; conn != nil && conn.Peer().Accepted != c.accepted {
				t.Errorf("the connection is %+v", conn.Peer())
			}
			if diff := cmp.Diff([]string{"up " + c.peer}, w.heard()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What happens whenever two nodes dial each other is nothing that anybody has to look at.
func TestWhoYieldsIsNotCountedAsRefused(t *testing.T) {
	var log lines
	refused := make(chan string, 10)
	n := alone(t, func(o *ergonode.Options) {
		log = logging(o)
		o.Refused = func(reason string) { refused <- reason }
	})
	l, port := listener(t)
	dialled := make(chan error, 1)
	go func() {
		_, err := n.Dial(within(t), transport.Target{Node: "a@127.0.0.1", Addr: loopback, Port: port})
		dialled <- err
	}()
	f := let(t, l, "a@127.0.0.1") // our dial is on its way now
	yielded := func(what string) {
		t.Helper()
		if got := <-refused; got != "Yielded" {
			t.Errorf("%s counts as %s", what, got)
		}
		if line := log.next(t, "peer not let in"); !strings.Contains(line, "[DEBUG]") || !strings.Contains(line, "reason=Yielded") {
			t.Errorf("%s is logged as %s", what, line)
		}
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); !errors.Is(err, transport.ErrYielded) {
		t.Errorf("the peer's dial: %v", err)
	}
	yielded("a dial that meets ours")
	f.greet()
	if err := <-dialled; err != nil {
		t.Fatal(err)
	}
	nc := from(t, "127.0.0.1", n)
	again := newFake(t, "a@127.0.0.1", nc)
	if _, err := dist.Dial(nc, dist.DialOptions{Local: again.self, Want: ourName, Cookie: cookie, Keep: func() bool { return true }}); !errors.Is(err, transport.ErrYielded) {
		t.Errorf("the peer's next dial: %v", err)
	}
	yielded("a dial of a peer that keeps its connection")
	if _, err := knock(t, n, "b@127.0.0.1", transport.NewCookie("wrong")); err == nil {
		t.Error("let in with a wrong cookie")
	}
	if got := <-refused; got != "CookieRejected" {
		t.Errorf("a wrong cookie counts as %s", got)
	}
}

// breaking is a connection whose owner does something before its second message, the
// digest, and closes in place of that.
type breaking struct {
	net.Conn
	wrote  int
	before func()
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.wrote++; b.wrote == 2 {
		b.before()
		_ = b.Close()
	}
	return b.Conn.Write(p)
}

// A dial of OTP's that ours has met ends without a word. That of a peer which we are not
// dialling is worth a look.
func TestAPeerThatGivesWayIsNotCountedAsRefused(t *testing.T) {
	refused := make(chan string, 10)
	n := alone(t, func(o *ergonode.Options) { o.Refused = func(reason string) { refused <- reason } })
	l, port := listener(t)
	dialled := make(chan error, 1)
	var met *fake
	for _, c := range []struct {
		what, want string
		meanwhile  func()
	}{
		{"nothing of ours", "Unreachable", func() {}},
		{"our dial", "Yielded", func() {
			go func() {
				_, err := n.Dial(within(t), transport.Target{Node: "a@127.0.0.1", Addr: loopback, Port: port})
				dialled <- err
			}()
			met = let(t, l, "a@127.0.0.1")
		}},
	} {
		nc := &breaking{Conn: from(t, "127.0.0.1", n), before: c.meanwhile}
		f := newFake(t, "a@127.0.0.1", nc)
		if _, err := dist.Dial(nc, dist.DialOptions{Local: f.self, Want: ourName, Cookie: cookie}); err == nil {
			t.Errorf("%s: the peer is in", c.what)
		}
		if got := <-refused; got != c.want {
			t.Errorf("a peer that closes when it has met %s counts as %s", c.what, got)
		}
	}
	met.greet()
	if err := <-dialled; err != nil {
		t.Error(err)
	}
}

// Who is in counts itself connected, and to dial it would end that connection. This
// peer could not be dialled at all.
func TestADialFindsThePeerThatHasJustComeIn(t *testing.T) {
	n := alone(t, nil)
	for i := range 200 {
		name := fmt.Sprintf("a%d@127.0.0.1", i)
		f, err := knock(t, n, name, cookie)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := n.Dial(within(t), transport.Target{Node: name})
		if err != nil {
			t.Fatal(err)
		}
		if !conn.Peer().Accepted {
			t.Errorf("the connection is %+v", conn.Peer())
		}
		_ = f.nc.Close()
	}
}

func TestAPeerThatComesAgainReplacesItsConnection(t *testing.T) {
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer = w })
	first, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	// The peer knows before us that it is in.
	until(t, "the first connection is up", func() bool { return len(w.heard()) > 0 })
	if _, err := knock(t, n, "a@127.0.0.1", transport.NewCookie("x")); !errors.Is(err, transport.ErrCookie) {
		t.Errorf("a wrong cookie: %v", err)
	}
	if diff := cmp.Diff([]string{"up a@127.0.0.1"}, w.heard()); diff != "" {
		t.Error("somebody who knows no cookie ended the connection:", diff)
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); err != nil {
		t.Fatal(err)
	}
	if why := <-w.downs; !errors.Is(why, transport.ErrReplaced) {
		t.Errorf("the reason is %v", why)
	}
	for { // until the first socket is closed
		if _, err := dist.ReadFrame(first.r, 1<<20); err != nil {
			break
		}
	}
}

func TestSilentPeersHoldUpNobody(t *testing.T) {
	n := alone(t, nil)
	for range 8 {
		from(t, "127.0.0.2", n)
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); err != nil {
		t.Error(err)
	}
}

func TestWhoSaysNothingHasItsTimeAndNoMore(t *testing.T) {
	n := alone(t, func(o *ergonode.Options) { o.SetupTimeout = 100 * time.Millisecond })
	nc := from(t, "127.0.0.2", n)
	if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is still here: %v", err)
	}
}

func TestStartRefusesWhatCannotWork(t *testing.T) {
	for name, change := range map[string]func(*ergonode.Options){
		"a name without a host": func(o *ergonode.Options) { o.Name = "ehc" },
		"no cookie":             func(o *ergonode.Options) { o.Cookies = nil },
		"net_kernel as a server": func(o *ergonode.Options) {
			o.Servers = map[string]transport.Handler{"net_kernel": echo}
		},
		"an address of somebody else": func(o *ergonode.Options) { o.Listen = netip.MustParseAddr("192.0.2.1") },
	} {
		o := ergonode.Options{Name: ourName, Cookies: []transport.Cookie{cookie}, Listen: loopback, EPMDPort: transporttest.FreePort(t)}
		change(&o)
		if n, err := ergonode.Start(t.Context(), o); err == nil {
			n.Stop()
			t.Errorf("%s: it started", name)
		}
	}
	first := alone(t, nil)
	_, err := first.Dial(within(t), transport.Target{Node: "a@127.0.0.1", Addr: loopback, Port: transporttest.FreePort(t)})
	if !errors.Is(err, transport.ErrUnreachable) {
		t.Error(err)
	}
	first.Stop()
	if _, err := first.Dial(within(t), transport.Target{Node: "a@127.0.0.1"}); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("dial after stop: %v", err)
	}
}

func TestADialThatNobodyWaitsForAnyMoreEnds(t *testing.T) {
	n := alone(t, nil)
	l, port := listener(t)
	target := transport.Target{Node: "a@127.0.0.1", Addr: loopback, Port: port}
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := n.Dial(ctx, target)
		first <- err
	}()
	f := let(t, l, "a@127.0.0.1")
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first dial: %v", err)
	}
	for { // until our end is closed
		if _, err := f.r.ReadByte(); err != nil {
			break
		}
	}
	second := make(chan error, 1)
	go func() {
		_, err := n.Dial(within(t), target)
		second <- err
	}()
	let(t, l, "a@127.0.0.1").greet()
	if err := <-second; err != nil {
		t.Errorf("the dial after it: %v", err)
	}
}

func TestStopEndsDialsAndLinks(t *testing.T) {
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer = w })
	_, c := linked(t, n, "a@127.0.0.1")
	l, port := listener(t)
	dialling := make(chan error, 1)
	go func() {
		_, err := n.Dial(within(t), transport.Target{Node: "b@127.0.0.1", Addr: loopback, Port: port})
		dialling <- err
	}()
	let(t, l, "b@127.0.0.1")
	n.Stop()
	if err := <-dialling; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("the dial: %v", err)
	}
	if why := <-w.downs; !errors.Is(why, transport.ErrClosed) {
		t.Errorf("the link: %v", why)
	}
	if err := c.Close(); !errors.Is(err, transport.ErrDown) {
		t.Errorf("close after stop: %v", err)
	}
}

// Whoever of the two is first, by whatever margin: both get the one connection.
func TestARealNodeAndWeDialAtOnce(t *testing.T) {
	e := beam.EPMD(t)
	for _, name := range []string{"a@127.0.0.1", "z@127.0.0.1"} { // our name is between the two
		t.Run(name, func(t *testing.T) {
			p := peer(t, name, e)
			w := newNews()
			n := start(t, e, func(o *ergonode.Options) { o.Observer = w })
			var want []string
			for range 50 {
				said := make(chan string, 1)
				go func() {
					v, err := p.TryEval("net_kernel:connect_node('" + ourName + "')")
					said <- fmt.Sprint(v, err)
				}()
				_, err := n.Dial(within(t), transport.Target{Node: name})
				if v := <-said; err != nil || v != "true<nil>" {
					t.Errorf("our dial: %v; connect_node: %s", err, v)
				}
				c := dial(t, n, name)
				if v, err := c.Call(within(t), "erlang", "nodes", atom("hidden")); err != nil || etf.Text(v) != "['"+ourName+"']" {
					t.Error(v, err)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				<-w.downs
				forgotten(t, p, ourName)
				want = append(want, "up "+name, "down "+name)
			}
			if diff := cmp.Diff(want, w.heard()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
