package ergonode_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

// fake is a peer of which the test plays every byte.
type fake struct {
	t    testing.TB
	self dist.Node
	nc   net.Conn
	r    *bufio.Reader
	d    *etf.Decoder
}

func newFake(t testing.TB, name string, nc net.Conn) *fake {
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
	t.Cleanup(func() { _ = nc.Close() })
	return &fake{t: t, nc: nc, r: bufio.NewReader(nc), d: etf.NewDecoder(etf.DefaultLimits()),
		self: dist.Node{Name: name, Creation: 77, Flags: dist.Offer(false, true)}}
}

// knock dials a node of ours.
func knock(t testing.TB, n *ergonode.Node, name string, c transport.Cookie) (*fake, error) {
	t.Helper()
	nc, err := net.Dial("tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, name, nc)
	_, err = dist.Dial(nc, dist.DialOptions{Local: f.self, Want: ourName, Cookie: c})
	return f, err
}

// let accepts the connection of a node of ours.
func let(t testing.TB, l net.Listener, name string) *fake {
	t.Helper()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newFake(t, name, nc)
}

// greet does the accepting side's handshake.
func (f *fake) greet() {
	f.t.Helper()
	_, _, err := dist.Accept(f.nc, dist.AcceptOptions{Local: f.self,
		Cookies: func(string) []transport.Cookie { return []transport.Cookie{cookie} }})
	if err != nil {
		f.t.Error(err)
	}
}

// next is the next signal of this kind; others, and ticks, are passed over.
func (f *fake) next(op dist.Op) dist.Control {
	f.t.Helper()
	for {
		b, err := dist.ReadFrame(f.r, 1<<24)
		if err != nil {
			f.t.Fatalf("waiting for %s: %v", op, err)
		}
		if b == nil {
			continue
		}
		c, err := dist.Parse(b, f.d)
		if err != nil {
			f.t.Fatal(err)
		}
		if c.Op == op {
			return c
		}
	}
}

func (f *fake) send(b []byte, err error, payload ...etf.Term) {
	f.t.Helper()
	for _, p := range payload {
		if err == nil {
			b, err = etf.Append(b, p)
		}
	}
	if err == nil {
		_, err = f.nc.Write(dist.Seal(b))
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) pid(id uint32) etf.Pid {
	return etf.Pid{Node: etf.Atom(f.self.Name), ID: id, Creation: f.self.Creation}
}

func term(t testing.TB, payload []byte) etf.Term {
	t.Helper()
	v, _, err := etf.NewDecoder(etf.DefaultLimits()).Term(payload)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func listener(t testing.TB) (net.Listener, uint16) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// alone is a node of ours with its own EPMD: no Erlang is needed.
func alone(t testing.TB, change func(*ergonode.Options)) *ergonode.Node {
	return start(t, int(transporttest.FreePort(t)), change)
}

// linked is a fake that we have dialled, and our end.
func linked(t testing.TB, n *ergonode.Node, name string) (*fake, transport.Conn) {
	t.Helper()
	l, port := listener(t)
	got := make(chan transport.Conn, 1)
	go func() {
		c, err := n.Dial(within(t), transport.Target{Node: name, Addr: loopback, Port: port})
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	f := let(t, l, name)
	f.greet()
	c := <-got
	if c == nil {
		t.FailNow()
	}
	return f, c
}

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

func TestAPeerThatComesAgainReplacesItsConnection(t *testing.T) {
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer = w })
	first, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
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
		nc, err := net.Dial("tcp", n.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); err != nil {
		t.Error(err)
	}
}

func TestACallThatIsGivenUpBeforeItStarts(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	f.next(dist.OpSpawnRequest) // whereis(user)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, "m", "f")
		done <- err
	}()
	request := f.next(dist.OpSpawnRequest)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	child := f.pid(99)
	f.send(dist.AppendSpawnReply(nil, request.Ref, request.From, child, true), nil)
	if d := f.next(dist.OpDemonitor); d.To != child || d.Ref != request.Ref {
		t.Errorf("demonitor %+v", d)
	}
	if x := f.next(dist.OpExit2); x.To != child || term(t, x.Payload) != etf.Term(atom("kill")) {
		t.Errorf("exit %+v", x)
	}
}

func TestAPeerThatStartsNothing(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	f.next(dist.OpSpawnRequest)
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(within(t), "m", "f")
		done <- err
	}()
	request := f.next(dist.OpSpawnRequest)
	b, err := dist.AppendSpawnFailure(nil, request.Ref, request.From, "system_limit")
	f.send(b, err)
	var spawn *transport.SpawnError
	if err := <-done; !errors.As(err, &spawn) || spawn.Reason != "system_limit" {
		t.Error(err)
	}
}

func TestTheLeaderOfACall(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	ask := f.next(dist.OpSpawnRequest)
	go func() { _, _ = c.Call(within(t), "io", "format", "x") }()
	request := f.next(dist.OpSpawnRequest)
	if request.Spawn.Leader.Node != ourName {
		t.Errorf("before the user process is known the leader is %v", request.Spawn.Leader)
	}
	printer := f.pid(50)
	f.send(dist.AppendSend(nil, printer, request.Spawn.Leader), nil, etf.Tuple{atom("io_request"), printer, 7,
		etf.Tuple{atom("put_chars"), atom("unicode"), "x"}})
	if got := term(t, f.next(dist.OpSend).Payload); etf.Text(got) != "{io_reply,7,ok}" {
		t.Errorf("output is answered with %v", got)
	}
	f.send(dist.AppendSpawnReply(nil, ask.Ref, ask.From, f.pid(51), true), nil)
	f.send(dist.AppendDown(nil, f.pid(51), ask.From, ask.Ref), nil, etf.Tuple{ask.Ref, atom("return"), f.pid(52)})
	f.send(dist.AppendSpawnReply(nil, request.Ref, request.From, f.pid(53), true), nil)
	f.send(dist.AppendDown(nil, f.pid(53), request.From, request.Ref), nil, etf.Tuple{request.Ref, atom("return"), 1})
	go func() { _, _ = c.Call(within(t), "io", "format", "x") }()
	if leader := f.next(dist.OpSpawnRequest).Spawn.Leader; leader != f.pid(52) {
		t.Errorf("once it is known the leader is %v", leader)
	}
}

func TestAPeerThatTakesNothing(t *testing.T) {
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer, o.Tick, o.Limits.Queue = w, 2*time.Second, 1<<16 })
	f, c := linked(t, n, "a@127.0.0.1")
	stop := make(chan struct{})
	ticking := make(chan struct{})
	go func() { // it lives, it just does not read
		defer close(ticking)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				_, _ = f.nc.Write(dist.Tick())
			}
		}
	}()
	message := make([]byte, 1<<20)
	var err error
	for err == nil {
		err = c.Send(within(t), "x", message)
	}
	if !errors.Is(err, transport.ErrDown) || !errors.Is(err, transport.ErrOverload) {
		t.Errorf("send: %v", err)
	}
	if why := <-w.downs; !errors.Is(why, transport.ErrOverload) {
		t.Errorf("the reason is %v", why)
	}
	close(stop)
	<-ticking
}

func TestGarbageEndsTheLink(t *testing.T) {
	for name, packet := range map[string][]byte{
		"no control message":  {0, 0, 0, 2, 1, 2},
		"a frame of 4 GB":     {255, 255, 255, 255},
		"an operation of 200": {0, 0, 0, 6, 112, 131, 104, 1, 97, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := newNews()
			f, _ := linked(t, alone(t, func(o *ergonode.Options) { o.Observer = w }), "a@127.0.0.1")
			if _, err := f.nc.Write(packet); err != nil {
				t.Fatal(err)
			}
			if why := <-w.downs; !errors.Is(why, transport.ErrProtocol) {
				t.Errorf("the reason is %v", why)
			}
		})
	}
}

func TestLimitsOfWhatAPeerMayHold(t *testing.T) {
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Inbound, o.Limits.Monitors = 2, 2
		wait := func(ctx context.Context, _ string, _ []transport.Term) (transport.Term, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		o.Servers = map[string]transport.Handler{"s": wait}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f"}: wait}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	monitor := func(id uint32) {
		b, err := dist.AppendMonitorName(nil, f.pid(1), "s", ref(id))
		f.send(b, err)
	}
	spawn := func(id uint32) {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(id), From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
		f.send(b, err, etf.List{ref(id), atom("m"), atom("f"), etf.List{}})
	}
	ask := func(id uint32) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(id)}, 1})
	}
	monitor(1)
	monitor(2)
	monitor(3)
	if d := f.next(dist.OpDown); d.Ref != ref(3) || etf.Text(term(t, d.Payload)) != "system_limit" {
		t.Errorf("the third monitor: %+v", d)
	}
	spawn(10)
	started := f.next(dist.OpSpawnReply)
	if started.Named {
		t.Errorf("the first call: %+v", started)
	}
	ask(1)
	spawn(11)
	if r := f.next(dist.OpSpawnReply); !r.Named || r.Name != "system_limit" {
		t.Errorf("the third call: %+v", r)
	}
	ask(2)
	if d := f.next(dist.OpDown); d.Ref != ref(2) || etf.Text(term(t, d.Payload)) != "overloaded" {
		t.Errorf("the fourth call: %+v", d)
	}
	f.send(dist.AppendExit2(nil, f.pid(1), started.From), nil, atom("kill"))
	if d := f.next(dist.OpDown); d.Ref != ref(10) || etf.Text(term(t, d.Payload)) != "killed" {
		t.Errorf("a killed call: %+v", d)
	}
	spawn(12)
	if r := f.next(dist.OpSpawnReply); r.Named {
		t.Errorf("a call in its place: %+v", r)
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
