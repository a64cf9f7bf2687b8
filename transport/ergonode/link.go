package ergonode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// The ids of our own processes that stand behind no ergo process; those of ergo's
// begin at 1001. Processes that peers start by erpc have a serial of their own.
const (
	callerID    = 5 // asks the peer: gets replies, holds monitors
	leaderID    = 6 // the group leader of our calls until the peer's is known
	netKernelID = 7 // answers pings
	rexID       = 8 // answers calls of the older kind
	scopeID     = 9 // the pg scope of Phoenix.PubSub
	spawnSerial = 0x65686300

	workerSerial = 0x65687000 // of our workers of Phoenix.PubSub
)

var errDisconnected = fmt.Errorf("%w: disconnected by ergo", transport.ErrClosed)

// link is one connection to a peer. Whoever finds it broken calls end; run then
// takes it down.
//
//	run ─┬─ read ──▶ dispatch ──▶ tables, handlers, queue
//	     └─ write ◀── queue
type link struct {
	node  *Node
	peer  *peer
	nc    net.Conn
	with  dist.Node
	about transport.Peer
	proxy *proxy

	ctx    context.Context // ends when the link is going down: for handlers
	cancel context.CancelFunc
	queue  *queue
	heard  atomic.Uint64 // bytes read

	once sync.Once
	why  error         // set before ctx ends
	down chan struct{} // closed when the Observer has heard

	caller, leader etf.Pid                 // ours
	user           atomic.Pointer[etf.Pid] // the peer's, once known
	decoder        *etf.Decoder            // of the reader

	mu      sync.Mutex
	over    bool                // the tables are closed
	calls   map[uint64]*call    // ours that wait
	watches map[etf.Ref]watch   // monitors that the peer holds
	bonds   map[bond]struct{}   // links that the peer's processes hold
	inbound map[uint64]*inbound // gen_server calls whose handlers have not returned
	waiting map[etf.Ref]uint64  // the monitors of those to answer
	spawned map[uint32]*spawned // erpc calls whose functions have not returned
	load    int                 // bytes of all calls and casts of the peer's that wait or run
}

var _ transport.Conn = (*link)(nil)

func newLink(p *peer, nc net.Conn, with dist.Node, accepted bool) *link {
	n := p.node
	l := &link{
		node: n, peer: p, nc: nc, with: with,
		about:   transport.Peer{Node: with.Name, Creation: with.Creation, Hidden: true, Accepted: accepted},
		queue:   newQueue(n.o.Limits.Queue),
		down:    make(chan struct{}),
		caller:  n.pid(callerID),
		leader:  n.pid(leaderID),
		decoder: etf.NewDecoder(n.o.Limits.Terms),
		calls:   map[uint64]*call{}, watches: map[etf.Ref]watch{}, bonds: map[bond]struct{}{}, inbound: map[uint64]*inbound{},
		waiting: map[etf.Ref]uint64{}, spawned: map[uint32]*spawned{},
	}
	l.ctx, l.cancel = context.WithCancel(context.Background()) // ends by end only, so that why is set
	return l
}

// pid is a process of ours that no ergo process stands behind.
func (n *Node) pid(id uint32) etf.Pid {
	return etf.Pid{Node: etf.Atom(n.self.Name), ID: id, Creation: n.self.Creation}
}

// run serves the link and takes it down. Handlers of the peer's calls may still
// run after it, their context ended.
func (l *link) run() {
	stop := context.AfterFunc(l.node.ctx, func() { l.end(transport.ErrClosed) })
	defer stop()
	l.askUser()
	var writing sync.WaitGroup
	writing.Go(func() { l.end(l.write()) })
	l.end(l.read())
	writing.Wait()
	l.node.seat.release(l)
	l.peer.gone(l, l.why)
	close(l.down)
}

// end takes the link down, once; the first cause counts. It does not wait.
func (l *link) end(why error) {
	l.once.Do(func() {
		l.why = why
		l.cancel()
		_ = l.nc.Close()
		l.queue.close()
		l.fail()
	})
}

// fail ends all that is in the tables.
func (l *link) fail() {
	l.mu.Lock()
	calls := l.calls
	l.over = true
	l.calls, l.watches, l.bonds, l.inbound, l.waiting, l.spawned = nil, nil, nil, nil, nil, nil
	l.mu.Unlock()
	err := l.gone()
	for _, k := range calls {
		k.deliver(result{err: err})
	}
}

// carry counts a cast of so many bytes in, if there is room. putDown is to be called
// once it has run.
func (l *link) carry(size int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.load >= l.node.o.Limits.Bytes {
		return false
	}
	l.load += size
	return true
}

func (l *link) putDown(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load -= size
}

// busy says whether the peer has as many calls under way as it may; the lock is held.
func (l *link) busy() bool {
	return len(l.inbound)+len(l.spawned) >= l.node.o.Limits.Inbound || l.load >= l.node.o.Limits.Bytes
}

// gone is the error of everything on a link that has ended.
func (l *link) gone() error {
	if errors.Is(l.why, transport.ErrDown) {
		return l.why
	}
	return fmt.Errorf("%w: %w", transport.ErrDown, l.why)
}

// Peer implements transport.Conn.
func (l *link) Peer() transport.Peer { return l.about }

// Close implements transport.Conn.
func (l *link) Close() error {
	if l.ctx.Err() != nil {
		<-l.down
		return fmt.Errorf("close %s: %w", l.with.Name, l.gone())
	}
	l.end(transport.ErrClosed)
	<-l.down
	return nil
}

// append appends a term, without what the peer has not offered to take.
func (l *link) append(b []byte, t etf.Term) ([]byte, error) {
	if l.with.Flags.Has(dist.FlagNativeRecords) {
		return etf.Append(b, t)
	}
	return etf.AppendPlain(b, t)
}

// put seals frames and queues them side by side; it waits while too much waits
// already.
func (l *link) put(ctx context.Context, frames ...[]byte) error {
	for _, f := range frames {
		if len(f) > l.node.o.Limits.Frame {
			return fmt.Errorf("frame of %d bytes: at most %d are sent", len(f), l.node.o.Limits.Frame)
		}
		dist.Seal(f)
	}
	ok, err := l.queue.put(ctx, frames...)
	if err == nil && !ok {
		err = l.gone()
	}
	return err
}

// push seals frames and queues them without waiting, for the reader must never
// wait for the writer: a peer that brings us to answer more than it takes loses its
// link. On one that has ended they are lost, as they would have been anyway.
func (l *link) push(frames ...[]byte) {
	for _, f := range frames {
		dist.Seal(f)
	}
	if !l.queue.push(frames...) {
		l.end(transport.ErrOverload)
	}
}
