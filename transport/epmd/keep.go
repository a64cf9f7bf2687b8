package epmd

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// retryAfter is how long an Erlang node waits before it registers again.
const retryAfter = 2 * time.Second

// ErrLost says that EPMD dropped a registration: as a rule it was restarted.
var ErrLost = errors.New("registration lost")

// Keeper keeps a name registered. The creation stays the one of the first
// registration, as that of an Erlang node does: the node has not restarted just
// because EPMD has. Its methods are safe for concurrent use.
type Keeper struct {
	register func(context.Context) (*Registered, error)
	after    time.Duration
	creation uint32
	life     context.Context // ends with Close
	end      context.CancelFunc

	mu      sync.Mutex
	current *Registered
}

// Keep registers a name as Register does, with the same errors, and returns who
// keeps it so. The caller runs the Keeper, and closes it if it never runs.
func Keep(ctx context.Context, at netip.AddrPort, r Registration) (*Keeper, error) {
	return keep(ctx, func(ctx context.Context) (*Registered, error) { return Register(ctx, at, r) })
}

func keep(ctx context.Context, register func(context.Context) (*Registered, error)) (*Keeper, error) {
	g, err := register(ctx)
	if err != nil {
		return nil, err
	}
	k := &Keeper{register: register, after: retryAfter, creation: g.Creation(), current: g}
	k.life, k.end = context.WithCancel(context.Background())
	return k, nil
}

// Creation is the incarnation that EPMD gave first. It never changes.
func (k *Keeper) Creation() uint32 { return k.creation }

// Run registers the name again two seconds after EPMD has dropped it, and every
// two seconds until that works. It returns ctx's error when ctx ends, nil after
// Close; the name is then listed no longer. It may be called once.
//
// changed, unless nil, hears from Run's goroutine: why the name is not listed
// (ErrLost, then the error of each attempt), and nil when it is listed again.
func (k *Keeper) Run(ctx context.Context, changed func(error)) error {
	defer func() { _ = k.Close() }()
	if changed == nil {
		changed = func(error) {}
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.life, cancel)()
	for {
		select {
		case <-running.Done():
			return ctx.Err()
		case <-k.lost():
		}
		if k.over(running) {
			return ctx.Err()
		}
		changed(ErrLost)
		k.again(running, changed)
	}
}

// again registers until it works or ctx ends.
func (k *Keeper) again(ctx context.Context, changed func(error)) {
	wait := time.NewTimer(k.after)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		g, err := k.register(ctx)
		if k.over(ctx) {
			if err == nil {
				_ = g.Close()
			}
			return
		}
		if err == nil {
			k.set(g)
		}
		changed(err)
		if err == nil {
			return
		}
		wait.Reset(k.after)
	}
}

// over says whether Run is to return. Close shows in life first: what ends with
// life does so a moment later.
func (k *Keeper) over(ctx context.Context) bool { return ctx.Err() != nil || k.life.Err() != nil }

func (k *Keeper) lost() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current.Lost()
}

// set takes over a registration, unless Close was quicker.
func (k *Keeper) set(g *Registered) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = g
	if k.life.Err() != nil {
		_ = g.Close()
	}
}

// Close takes the name out of EPMD and ends Run. It may be called more than once,
// before Run or while it runs.
func (k *Keeper) Close() error {
	k.end()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current.Close()
}
