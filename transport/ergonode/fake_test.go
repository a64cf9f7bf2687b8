package ergonode_test

import (
	"bufio"
	"net"
	"testing"
	"time"

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
	_ = nc.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = nc.Close() })
	return &fake{t: t, nc: nc, r: bufio.NewReader(nc), d: etf.NewDecoder(etf.DefaultLimits()),
		self: dist.Node{Name: name, Creation: 77, Flags: dist.Offer(false, true) &^ dist.FlagDistHdrAtomCache}}
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

// any is the next signal; ticks are passed over.
func (f *fake) any() dist.Control {
	f.t.Helper()
	for {
		b, err := dist.ReadFrame(f.r, 1<<24)
		if err != nil {
			f.t.Fatal(err)
		}
		if b == nil {
			continue
		}
		c, err := dist.Parse(b, f.d)
		if err != nil {
			f.t.Fatal(err)
		}
		return c
	}
}

// next is the next signal of this kind; others are passed over.
func (f *fake) next(op dist.Op) dist.Control {
	f.t.Helper()
	for {
		if c := f.any(); c.Op == op {
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
