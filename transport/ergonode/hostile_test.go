package ergonode_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// from dials a node of ours from an address of this machine.
func from(t *testing.T, addr string, n *ergonode.Node) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	nc, err := d.Dial("tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

func TestSilentAndSlowClientsHoldUpNoPeer(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := start(t, e, func(o *ergonode.Options) { o.Limits.Handshakes, o.Limits.PerAddress = 12, 4 })
	stop := make(chan struct{})
	var slow sync.WaitGroup
	defer slow.Wait()
	defer close(stop)
	for range 100 { // far more than there are places
		from(t, "127.0.0.2", n)
		nc := from(t, "127.0.0.3", n)
		slow.Go(func() { // a byte now and then
			next := []byte{0, 200, 'N'} // of a name message that would be fine
			for {
				if _, err := nc.Write(next); err != nil {
					return
				}
				next = []byte{0}
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}
	if got := p.Eval("net_adm:ping('ehc@127.0.0.1')"); got != "pong" {
		t.Errorf("a real peer gets %s", got)
	}
}

func TestOneAddressHasFewHandshakesAtOnce(t *testing.T) {
	n := alone(t, func(o *ergonode.Options) { o.Limits.PerAddress = 2 })
	enter := func() error {
		f := newFake(t, "b@127.0.0.2", from(t, "127.0.0.2", n))
		_, err := dist.Dial(f.nc, dist.DialOptions{Local: f.self, Want: ourName, Cookie: cookie})
		return err
	}
	first := from(t, "127.0.0.2", n)
	from(t, "127.0.0.2", n)
	if err := enter(); !errors.Is(err, transport.ErrUnreachable) {
		t.Errorf("the third of an address: %v", err)
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); err != nil {
		t.Errorf("another address: %v", err)
	}
	_ = first.Close()
	for ctx := within(t); ; { // until its end has been seen and its place is free
		err := enter()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("the place is not free again: %v", err)
		}
	}
}

// recorder passes connections on to a node of ours and keeps what the caller says.
type recorder struct {
	mu   sync.Mutex
	said []byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, b...)
	return len(b), nil
}

func (r *recorder) serve(l net.Listener, n *ergonode.Node, done *sync.WaitGroup) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", n.Addr().String())
		if err != nil {
			_ = in.Close()
			continue
		}
		done.Go(func() { _, _ = io.Copy(io.MultiWriter(out, r), in); _ = out.Close() })
		done.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	}
}

// messages are the first handshake messages of what was recorded.
func (r *recorder) messages(t *testing.T, count int) (m [][]byte) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for b := r.said; len(m) < count; {
		n := 2 + int(binary.BigEndian.Uint16(b))
		m = append(m, b[:n])
		b = b[n:]
	}
	return m
}

func TestAReplayedHandshakeFails(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	w := newNews()
	n := start(t, int(transporttest.FreePort(t)), func(o *ergonode.Options) { o.Observer = w })
	l, port := listener(t)
	g, err := epmd.Register(t.Context(), netip.AddrPortFrom(loopback, uint16(e)), epmd.Registration{Name: "ehc", Port: port})
	if err != nil {
		t.Fatal(err)
	}
	var r recorder
	var passing sync.WaitGroup
	passing.Go(func() { r.serve(l, n, &passing) })
	if got := p.Eval("R = net_adm:ping('ehc@127.0.0.1'), erlang:disconnect_node('ehc@127.0.0.1'), R"); got != "pong" {
		t.Fatalf("the handshake to record: %s", got)
	}
	<-w.downs
	_ = g.Close()
	_ = l.Close()
	passing.Wait()
	said := r.messages(t, 2)

	nc := from(t, "127.0.0.1", n)
	if _, err := nc.Write(said[0]); err != nil {
		t.Fatal(err)
	}
	status := make([]byte, 5)
	if _, err := io.ReadFull(nc, status); err != nil || string(status) != "\x00\x03sok" {
		t.Fatalf("the recorded name is answered with %q, %v", status, err)
	}
	if _, err := nc.Write(said[1]); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(nc) // our challenge, and then the end in place of an ack
	if len(rest) < 2 || len(rest) != 2+int(binary.BigEndian.Uint16(rest)) || rest[2] != 'N' {
		t.Errorf("the recorded digest is answered with %q", rest)
	}
	if diff := cmp.Diff([]string{"up a@127.0.0.1", "down a@127.0.0.1"}, w.heard()); diff != "" {
		t.Error(diff)
	}
}
