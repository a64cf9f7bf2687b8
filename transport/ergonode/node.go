package ergonode

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
)

// Node is a running node. Its methods are safe for concurrent use. Its owner calls
// Stop.
type Node struct {
	o        Options
	self     dist.Node
	seat     *seat
	listener net.Listener
	listed   *epmd.Joined

	ctx     context.Context // ends with Stop
	end     context.CancelFunc
	running sync.WaitGroup
	stop    sync.Once

	minted atomic.Uint64 // references
	pids   atomic.Uint32 // processes invented for inbound calls

	servers []*server
	party   *party // nil without Options.PubSub

	mu       sync.Mutex
	peers    map[string]*peer
	deaf     bool  // it accepts nobody any more
	unlisted error // why EPMD does not list it
}

var _ transport.Dialer = (*Node)(nil)

// Start listens, registers with EPMD, takes a seat on ergo and accepts peers. ctx
// bounds the starting only.
func Start(ctx context.Context, o Options) (*Node, error) {
	n, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start node %s: %w", o.Name, err)
	}
	return n, nil
}

func start(ctx context.Context, o Options) (_ *Node, err error) {
	o, err = o.checked()
	if err != nil {
		return nil, err
	}
	n := &Node{o: o, peers: map[string]*peer{}}
	n.ctx, n.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			n.Stop()
		}
	}()
	if n.listener, err = listen(ctx, o); err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(o.Name, "@")
	if !o.Unlisted {
		n.listed, err = epmd.Join(ctx, o.EPMDPort, epmd.Registration{Name: name, Port: n.Port()})
		if err != nil {
			return nil, err
		}
	}
	n.self = dist.Node{Name: o.Name, Creation: o.Creation, Flags: dist.Offer(false, len(o.Functions) > 0)}
	if n.self.Creation == 0 && n.listed != nil {
		n.self.Creation = n.listed.Creation()
	}
	if n.self.Creation == 0 {
		n.self.Creation = random()
	}
	if n.seat, err = sit(o.Name, n.self.Creation); err != nil {
		return nil, err
	}
	if err = n.serve(); err != nil {
		return nil, err
	}
	if o.PubSub != nil {
		n.party = newParty(n, o.PubSub)
		n.running.Go(n.party.retry)
	}
	if n.listed != nil {
		n.running.Go(func() { _ = n.listed.Run(n.ctx, n.relisted) })
	}
	n.running.Go(n.accept)
	return n, nil
}

func random() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:]) | 1
}

// Name is the full name.
func (n *Node) Name() string { return n.self.Name }

// Creation is the node's incarnation.
func (n *Node) Creation() uint32 { return n.self.Creation }

// Addr is where the node accepts connections.
func (n *Node) Addr() netip.AddrPort {
	return n.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Port is the port of Addr, which EPMD gives to peers.
func (n *Node) Port() uint16 { return n.Addr().Port() }

// EPMDPort is where EPMD listens, here and at the peers.
func (n *Node) EPMDPort() uint16 { return n.o.EPMDPort }

// ServesEPMD says whether this machine's EPMD is the node's own.
func (n *Node) ServesEPMD() bool { return n.listed != nil && n.listed.Serving() }

// Stop takes the node off the network: it accepts nobody any more, ends every dial
// and link (the Observer hears ErrClosed), leaves EPMD, and returns once no
// goroutine of the node's is left and every handler has returned. It may be called
// more than once.
func (n *Node) Stop() {
	n.stop.Do(func() {
		n.mu.Lock() // nothing is started after this: see goDo
		n.end()
		n.mu.Unlock()
		if n.listener != nil {
			_ = n.listener.Close()
		}
		n.running.Wait()
		if n.seat != nil {
			n.seat.node.Stop()
		}
		for _, s := range n.servers {
			<-s.ended
		}
		if n.listed != nil {
			_ = n.listed.Close()
		}
	})
}

// goDo starts a goroutine that Stop waits for, unless the node has stopped. It is
// for callers that Stop does not wait for itself.
func (n *Node) goDo(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return false
	}
	n.running.Go(f)
	return true
}

// relisted hears of the EPMD registration.
func (n *Node) relisted(err error) {
	n.mu.Lock()
	n.unlisted = nil
	if err != nil {
		n.unlisted = fmt.Errorf("not listed in EPMD: %w", err)
	}
	n.mu.Unlock()
	if err != nil {
		n.o.Log.Warn("not listed in EPMD", "node", n.self.Name, "error", err)
		return
	}
	n.o.Log.Info("listed in EPMD again", "node", n.self.Name)
}
