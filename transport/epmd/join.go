package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// joinAttempts is how often Join turns between asking and serving while others
// start and stop an EPMD on the same port.
const joinAttempts = 3

// A name that is taken is as a rule that of the process before us, whose end the
// daemon has not seen yet: Join asks again for this long.
const (
	takenPatience = time.Second
	takenPause    = 50 * time.Millisecond
)

// Joined is a name kept in this machine's EPMD, which is our own if none ran. Its
// methods are safe for concurrent use.
type Joined struct {
	port   uint16
	keeper *Keeper

	mu     sync.Mutex
	closed bool
	end    context.CancelFunc // of our own EPMD; nil if none was started
	served chan struct{}      // closed once it has ended
}

// Join registers with the EPMD of this machine at port, 127.0.0.1 first and then
// ::1. If both refuse connections it serves one itself, on every address of the
// machine as EPMD does, for nodes elsewhere have to ask it for our port. ctx
// bounds the joining only. Errors are those of Register and of listening; a
// *TakenError comes after a second of asking again.
//
// The caller runs what Join returns, and closes it if it never runs. When an own
// EPMD ends, other nodes that had registered with it are listed no longer until
// somebody serves that port again; Erlang nodes then register by themselves.
func Join(ctx context.Context, port uint16, r Registration) (*Joined, error) {
	if port == 0 {
		return nil, fmt.Errorf("join EPMD: port 0 is none")
	}
	j := &Joined{port: port}
	enter := func(ctx context.Context) (*Registered, error) { return j.register(ctx, r) }
	k, err := keep(ctx, enter)
	var taken *TakenError
	for end := time.Now().Add(takenPatience); errors.As(err, &taken) && time.Now().Before(end) && pause(ctx, takenPause); {
		k, err = keep(ctx, enter)
	}
	if err != nil {
		j.stop()
		return nil, err
	}
	j.keeper = k
	return j, nil
}

// pause waits and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Creation is the incarnation that was given first. It never changes.
func (j *Joined) Creation() uint32 { return j.keeper.Creation() }

// Serving says whether this machine's EPMD is ours.
func (j *Joined) Serving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.running()
}

// Run is the Keeper's Run. If the daemon that we had joined is gone for good, an
// own one takes its place. When Run returns, the name is listed no longer and an
// own EPMD has ended.
func (j *Joined) Run(ctx context.Context, changed func(error)) error {
	defer func() { _ = j.Close() }()
	return j.keeper.Run(ctx, changed)
}

// Close takes the name out of EPMD, ends an own EPMD, and ends Run. It may be
// called more than once.
func (j *Joined) Close() error {
	err := j.keeper.Close()
	j.stop()
	return err
}

func (j *Joined) register(ctx context.Context, r Registration) (*Registered, error) {
	var err error
	for range joinAttempts {
		var g *Registered
		if g, err = j.ask(ctx, r); err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
			return g, err
		}
		if serving := j.serve(); serving != nil && !errors.Is(serving, syscall.EADDRINUSE) {
			return nil, errors.Join(err, serving)
		}
	}
	return nil, err
}

// ask registers on loopback. What 127.0.0.1 said counts unless ::1 takes the name.
func (j *Joined) ask(ctx context.Context, r Registration) (*Registered, error) {
	g, err := Register(ctx, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), j.port), r)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return g, err
	}
	if g, err := Register(ctx, netip.AddrPortFrom(netip.IPv6Loopback(), j.port), r); err == nil {
		return g, nil
	}
	return nil, err
}

// serve starts an own EPMD. It does nothing if one runs.
func (j *Joined) serve() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || j.running() {
		return nil
	}
	l, err := net.Listen("tcp", ":"+strconv.Itoa(int(j.port)))
	if err != nil {
		return fmt.Errorf("serve EPMD: %w", err)
	}
	ctx, end := context.WithCancel(context.Background())
	served := make(chan struct{})
	j.end, j.served = end, served
	go func() {
		defer close(served)
		_ = new(Server).Serve(ctx, l) // its end shows as a lost registration
	}()
	return nil
}

// running says whether an own EPMD serves; the lock is held.
func (j *Joined) running() bool {
	if j.end == nil {
		return false
	}
	select {
	case <-j.served:
		return false
	default:
		return true
	}
}

func (j *Joined) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.end != nil {
		j.end()
		<-j.served
	}
}
