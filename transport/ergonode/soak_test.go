package ergonode_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// soak is how many cycles and peers the tests below have: 1,000 in make soak and
// fewer otherwise, or what EHC_SOAK says.
func soak(t *testing.T, usual int) int {
	t.Helper()
	if s := os.Getenv("EHC_SOAK"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return usual
}

// use is what the process holds.
type use struct{ goroutines, files, heap int }

var anything = use{1 << 40, 1 << 40, 1 << 40}

func (u use) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d KiB", u.goroutines, u.files, u.heap>>10)
}

// used counts once what is on its way out has gone: no more than most of anything,
// if that comes about.
func used(t *testing.T, most use) (u use) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		runtime.GC() // pools are emptied by the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("counts descriptors in /proc")
		}
		u = use{runtime.NumGoroutine(), len(files), int(m.HeapAlloc)}
		if u.goroutines <= most.goroutines && u.files <= most.files && u.heap <= most.heap || time.Now().After(end) {
			return u
		}
	}
}

// nothingLeft waits until nothing is left of so many things. The heap may have
// grown by what each of them takes at most.
func nothingLeft(t *testing.T, before use, things, each int) {
	t.Helper()
	after := used(t, use{before.goroutines, before.files, before.heap + things*each})
	t.Logf("before: %s", before)
	t.Logf("after:  %s", after)
	if after.goroutines > before.goroutines || after.files > before.files {
		t.Errorf("left behind: %d goroutines, %d descriptors", after.goroutines-before.goroutines, after.files-before.files)
	}
	if grown := after.heap - before.heap; grown > things*each {
		t.Errorf("the heap has grown by %d bytes in %d", grown, things)
	}
}

func TestCyclesLeaveNothingBehind(t *testing.T) {
	cycles := soak(t, 200)
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := start(t, e, nil)
	cycle := func(i int) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := n.Dial(ctx, transport.Target{Node: p.Name()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(ctx, "erlang", "abs", -i); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 { // the peer ends some
			p.Eval("erlang:disconnect_node('ehc@127.0.0.1')")
		}
		_ = c.Close()
	}
	for i := range 20 {
		cycle(i)
	}
	before := used(t, anything)
	for i := range cycles {
		cycle(i)
	}
	nothingLeft(t, before, cycles, 1<<10)
	p.Await("nodes(hidden)", "[]")
}

// cheap is a peer that takes little: it answers calls, and ticks not.
type cheap struct {
	nc   net.Conn
	self dist.Node
}

func newCheap(n *ergonode.Node, i int) (*cheap, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}}
	nc, err := d.Dial("tcp", n.Addr().String())
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	x := &cheap{nc: nc, self: dist.Node{Name: fmt.Sprintf("p%d@127.0.0.1", i), Creation: uint32(i + 1), Flags: dist.Offer(false, true)}}
	if _, err = dist.Dial(nc, dist.DialOptions{Local: x.self, Want: ourName, Cookie: cookie}); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return x, nil
}

// answer returns the arguments of each call, until the connection ends.
func (x *cheap) answer() {
	defer func() { _ = x.nc.Close() }()
	r, d := bufio.NewReader(x.nc), etf.NewDecoder(etf.DefaultLimits())
	in, out := dist.NewHeaderReader(d), dist.NewHeaderWriter(1<<20)
	write := func(frame []byte) error {
		head, rest := out.Convert(dist.Seal(frame))
		_, err := x.nc.Write(append(head, rest...))
		return err
	}
	child := etf.Pid{Node: etf.Atom(x.self.Name), ID: 9, Creation: x.self.Creation}
	for {
		b, err := dist.ReadFrame(r, 1<<20)
		if err != nil {
			return
		}
		if b == nil {
			continue
		}
		c, err := in.Parse(b)
		if err != nil || c.Op != dist.OpSpawnRequest {
			continue
		}
		args, _, err := d.Term(c.Payload)
		if err != nil {
			return
		}
		down, err := etf.Append(dist.AppendDown(nil, child, c.From, c.Ref), etf.Tuple{c.Ref, etf.Atom("return"), args.(etf.List)[3]})
		if err != nil {
			return
		}
		if write(dist.AppendSpawnReply(nil, c.Ref, c.From, child, true)) != nil || write(down) != nil {
			return
		}
	}
}

// joined is an Observer that gives each connection.
type joined struct{ up chan transport.Conn }

func (j joined) Up(c transport.Conn) { j.up <- c }

func (joined) Down(transport.Conn, error) {}

func TestManyPeersAtOnceLeaveNothingBehind(t *testing.T) {
	peers := soak(t, 300)
	e := beam.EPMD(t)
	w := joined{make(chan transport.Conn, peers+50)}
	n := start(t, e, func(o *ergonode.Options) { o.Observer = w })
	real := []*beam.Node{peer(t, "a@127.0.0.1", e), peer(t, "b@127.0.0.1", e)}
	round := func(peers int) {
		t.Helper()
		for _, p := range real {
			dial(t, n, p.Name())
		}
		var answering, joining sync.WaitGroup
		for worker := range 8 {
			joining.Go(func() {
				for i := worker; i < peers; i += 8 {
					x, err := newCheap(n, i)
					if err != nil {
						t.Error(err)
						return
					}
					answering.Go(x.answer)
				}
			})
		}
		joining.Wait()
		var conns []transport.Conn
		for range peers + len(real) {
			conns = append(conns, <-w.up)
		}
		if testing.Verbose() {
			t.Logf("with %d peers: %s", len(conns), used(t, anything))
		}
		var calling sync.WaitGroup
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for i, c := range conns {
			calling.Go(func() {
				if _, err := c.Call(ctx, "erlang", "abs", -i); err != nil {
					t.Error(err)
				}
			})
		}
		calling.Wait()
		for _, c := range conns {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		answering.Wait()
	}
	round(peers) // tables and pools have their size then
	before := used(t, anything)
	round(peers)
	nothingLeft(t, before, peers, 512)
}
