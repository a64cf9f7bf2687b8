package ergonode_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// pidOf is Erlang that makes P a pid of our node where no process is.
func pidOf(creation uint32) string {
	return fmt.Sprintf("N = <<%q>>, P = binary_to_term(<<131,88,119,(byte_size(N)),N/binary,77:32,0:32,%d:32>>), ", ourName, creation)
}

func linkTo(creation uint32) string {
	return pidOf(creation) + "process_flag(trap_exit, true), link(P), receive {'EXIT', P, Why} -> Why end"
}

func TestWhatPeersSeeOfUs(t *testing.T) {
	e := beam.EPMD(t)
	p, other := peer(t, "a@127.0.0.1", e), peer(t, "b@127.0.0.1", e)
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) { o.Observer = w })

	for _, c := range []struct{ name, expr, want string }{
		{"a ping connects and is answered", "net_adm:ping('ehc@127.0.0.1')", "pong"},
		{"nodes() does not show us", "nodes()", "[]"},
		{"nodes(hidden) does", "nodes(hidden)", "['ehc@127.0.0.1']"},
		{"connect_node says so too", "net_kernel:connect_node('ehc@127.0.0.1')", "true"},
		{"another node may join", "net_adm:ping('b@127.0.0.1')", "pong"},
		{"global:sync returns", "global:sync()", "ok"},
		{"a global lock is had at once", "global:trans({lock, self()}, fun() -> done end)", "done"},
		{"a ping again", "net_adm:ping('ehc@127.0.0.1')", "pong"},
		{"a monitor of nobody ends at once", "R = erlang:monitor(process, {nosuch, 'ehc@127.0.0.1'}), receive {'DOWN', R, _, _, Why} -> Why end", "noproc"},
		{"a link to nobody too", linkTo(n.Creation()), "noproc"},
		{"even to a pid of another incarnation", linkTo(1), "noproc"},
		{"and can be unlinked", pidOf(n.Creation()) + "process_flag(trap_exit, true), link(P), unlink(P)", "true"},
		{"after all that a ping", "net_adm:ping('ehc@127.0.0.1')", "pong"},
	} {
		if got := p.Eval(c.expr); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.expr, got, c.want)
		}
	}
	if got := other.Eval("nodes(connected)"); got != "['a@127.0.0.1']" {
		t.Errorf("the other node is connected to %s", got)
	}
	c := dial(t, n, "a@127.0.0.1")
	if !c.Peer().Accepted || !c.Peer().Hidden {
		t.Errorf("the peer dialled us, and is %+v", c.Peer())
	}
	if diff := cmp.Diff([]string{"up a@127.0.0.1"}, w.heard()); diff != "" {
		t.Error(diff)
	}
	p.Eval("erlang:disconnect_node('ehc@127.0.0.1')")
	if why := <-w.downs; transport.Reason(why) != "Disconnected" {
		t.Errorf("the peer disconnected, and the reason is %v", why)
	}
}

func TestWhyADialFails(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	port, err := epmd.Lookup(t.Context(), netip.AddrPortFrom(loopback, uint16(e)), "a")
	if err != nil {
		t.Fatal(err)
	}
	n := start(t, e, nil)
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	at := func(l net.Listener) uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

	for _, c := range []struct {
		name   string
		target transport.Target
		want   error
		text   string
	}{
		{"nobody listens on the port", transport.Target{Node: "x@127.0.0.1", Port: transporttest.FreePort(t)}, transport.ErrUnreachable, "unreachable"},
		{"no EPMD at the address", transport.Target{Node: "x@127.0.0.9"}, transport.ErrUnreachable, "unreachable"},
		{"a host without an address", transport.Target{Node: "x@nosuch.invalid"}, transport.ErrUnreachable, "unreachable"},
		{"not listed", transport.Target{Node: "x@127.0.0.1"}, transport.ErrNotListed, "not listed in EPMD"},
		{"a wrong cookie", transport.Target{Node: p.Name(), Cookies: []transport.Cookie{transport.NewCookie("x")}}, transport.ErrCookie, "cookie rejected"},
		{"a wrong name", transport.Target{Node: "x@127.0.0.1", Port: port.Port}, transport.ErrName, "wrong name"},
		{"our own name", transport.Target{Node: ourName}, transport.ErrName, "wrong name"},
		{"a listener that is no node", transport.Target{Node: "x@127.0.0.1", Port: at(rude)}, transport.ErrProtocol, "not an Erlang node"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := n.Dial(within(t), c.target)
			if !errors.Is(err, c.want) || err == nil || !strings.Contains(err.Error(), "dial "+c.target.Node+": ") ||
				!strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestADialThatIsNotAnsweredEnds(t *testing.T) {
	l, port := listener(t) // which says nothing
	defer l.Close()
	n := alone(t, func(o *ergonode.Options) { o.SetupTimeout = 100 * time.Millisecond })
	_, err := n.Dial(within(t), transport.Target{Node: "x@127.0.0.1", Port: port})
	if !errors.Is(err, transport.ErrTimeout) || !strings.Contains(err.Error(), "timed out") {
		t.Errorf("got %v", err)
	}
}

func TestAPeerWithAWrongCookieIsNotLetIn(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "other", EPMDPort: e})
	w := newNews()
	start(t, e, func(o *ergonode.Options) {
		o.Observer = w
		o.AppCookies = func(node string) []transport.Cookie {
			if node == "b@127.0.0.1" {
				return []transport.Cookie{transport.NewCookie("x"), transport.NewCookie("appcookie")}
			}
			return nil
		}
	})
	if got := p.Eval("net_adm:ping('ehc@127.0.0.1')"); got != "pang" {
		t.Errorf("a wrong cookie: %s", got)
	}
	if got := p.Eval("erlang:set_cookie('ehc@127.0.0.1', monster), net_adm:ping('ehc@127.0.0.1')"); got != "pong" {
		t.Errorf("the right one: %s", got)
	}
	b := beam.Start(t, beam.Options{Name: "b@127.0.0.1", Cookie: "appcookie", EPMDPort: e})
	if got := b.Eval("net_adm:ping('ehc@127.0.0.1')"); got != "pong" {
		t.Errorf("the cookie of its app: %s", got)
	}
	if diff := cmp.Diff([]string{"up a@127.0.0.1", "up b@127.0.0.1"}, w.heard()); diff != "" {
		t.Error(diff)
	}
}

func TestAKilledPeerIsNoticed(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) { o.Observer = w })
	c := dial(t, n, p.Name())
	pending := make(chan error, 1)
	go func() {
		_, err := c.Call(within(t), "timer", "sleep", atom("infinity"))
		pending <- err
	}()
	p.Kill()
	if why := <-w.downs; transport.Reason(why) != "Disconnected" {
		t.Errorf("the reason is %v", why)
	}
	if err := <-pending; !errors.Is(err, transport.ErrDown) {
		t.Errorf("the pending call: %v", err)
	}
	p.Restart()
	if again := dial(t, n, p.Name()); again.Peer().Creation == c.Peer().Creation {
		t.Error("the creation is the same after a restart")
	}
}

func TestAFrozenPeerFallsSilent(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e, Args: []string{"-kernel", "net_ticktime", "6"}})
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) { o.Observer, o.Tick = w, 6*time.Second })
	c := dial(t, n, p.Name())
	// Ticks keep an idle connection alive on both ends for longer than both allow.
	// Each end may be late by seconds, as on a busy machine.
	select {
	case why := <-w.downs:
		t.Fatalf("an idle connection went down: %v", why)
	case <-time.After(8 * time.Second):
	}
	p.Freeze()
	if why := <-w.downs; !errors.Is(why, transport.ErrSilent) {
		t.Errorf("the reason is %v", why)
	}
	if _, err := c.Call(within(t), "erlang", "node"); !errors.Is(err, transport.ErrDown) {
		t.Error(err)
	}
}

func TestOurRestartTakesTheOldConnectionOver(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	first := start(t, e, nil)
	dial(t, first, p.Name())
	p.Eval("register(keeper, spawn(fun() -> erlang:monitor_node('ehc@127.0.0.1', true), receive {nodedown, _} -> ok end end))")
	first.Stop()
	second := start(t, e, nil)
	if second.Creation() == first.Creation() {
		t.Error("both incarnations have one creation")
	}
	c := dial(t, second, p.Name())
	if v, err := c.Call(within(t), "erlang", "nodes", atom("hidden")); err != nil || len(list(v)) != 1 {
		t.Error(v, err)
	}
}

func TestWeServeEPMDWhereNoneRuns(t *testing.T) {
	beam.Need(t)
	port := int(transporttest.FreePort(t))
	n := start(t, port, nil)
	if !n.ServesEPMD() {
		t.Error("an EPMD runs already")
	}
	p := peer(t, "a@127.0.0.1", port)
	if got := p.Eval("net_adm:ping('ehc@127.0.0.1')"); got != "pong" {
		t.Errorf("ping: %s", got)
	}
	if _, err := epmd.Lookup(t.Context(), netip.AddrPortFrom(loopback, uint16(port)), "a"); err != nil {
		t.Error(err)
	}
	dial(t, n, p.Name())
}

func TestIPv6(t *testing.T) {
	beam.Need(t)
	n := alone(t, func(o *ergonode.Options) { o.Name, o.Listen = "ehc@::1", netip.IPv6Loopback() })
	p := beam.Start(t, beam.Options{Name: "a@::1", Cookie: "monster", EPMDPort: int(n.EPMDPort()), Address: netip.IPv6Loopback()})
	c := dial(t, n, p.Name())
	if v, err := c.Call(within(t), "erlang", "nodes", atom("hidden")); err != nil || etf.Text(v) != "['ehc@::1']" {
		t.Error(v, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	forgotten(t, p, "ehc@::1")
	if got := p.Eval("net_adm:ping('ehc@::1')"); got != "pong" {
		t.Errorf("ping: %s", got)
	}
}
