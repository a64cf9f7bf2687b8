package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/history"
	"ehc/controller/telemetry"
	"ehc/reconcile"
	"ehc/state"
	"ehc/state/outbox"
	"ehc/transport"
)

const (
	actionsAtOnce = 64
	dialLimit     = 10 * time.Second
	resyncLimit   = 10 * time.Second
	pubsubLimit   = 2 * time.Second
)

// effects does what a plan says. Each verb marks its row as under way, starts
// the work and returns; the outcome is a row again. The mark keeps the next
// pass from starting the same thing, and every end of the work takes it off. What it
// goes by is in the store, like all that the plan went by: to leave out what has changed
// since is safe, for a change there starts another pass.
type effects struct {
	store  *state.Store
	box    *outbox.Box
	dialer transport.Dialer
	links  *Links
	log    hclog.Logger
	queues *queues
	tell   func(history.Entry)
	meter  *telemetry.Meter
	tracer *telemetry.Tracer
	beat   func() // the loop gets on
	// hears says that what nodes show of PubSub becomes known.
	hears func() bool

	dials  slots
	tends  slots // prunes and resyncs
	drains slots
	group  sync.WaitGroup
}

var _ reconcile.Effects = (*effects)(nil)

func newEffects(o Options) *effects {
	return &effects{
		store: o.Store, box: o.Box, dialer: o.Dialer, links: o.Links, log: o.Log,
		queues: newQueues(), tell: func(history.Entry) {}, meter: o.Meter, tracer: o.Tracer, beat: func() {},
		hears: func() bool { return o.PubSub != nil && len(o.Config.Spec().PubSub) > 0 },
		dials: make(slots, actionsAtOnce), tends: make(slots, actionsAtOnce), drains: make(slots, actionsAtOnce),
	}
}

// wait returns when no work is under way. Nothing may start after it.
func (e *effects) wait() { e.group.Wait() }

// slots bound how much work of one kind is at it at once. Each kind has its own:
// machines that do not answer a dial, or handlers that hang, are in the way of
// nothing else.
type slots chan struct{}

// start runs work in a goroutine, as soon as one of the slots is free, and waits for
// neither. Work whose turn has not come when ctx ends is not done.
func (e *effects) start(ctx context.Context, s slots, work func()) {
	e.beat()
	e.group.Go(func() {
		select {
		case s <- struct{}{}:
			defer func() { <-s }()
			work()
		case <-ctx.Done():
		}
	})
}

// Connect dials n where discovery found it.
func (e *effects) Connect(ctx context.Context, n state.Node) error {
	if err := e.store.RecordDialling(n); err != nil {
		return notOvertaken(err)
	}
	e.start(ctx, e.dials, func() {
		// Much may have happened until the turn came.
		peer, ok := e.store.Snapshot().Wanted(n)
		if !ok || errors.Is(e.store.RecordDialling(n), state.ErrOvertaken) {
			e.record(e.store.RecordUndialled(n))
			return
		}
		e.dial(ctx, peer)
	})
	return nil
}

func (e *effects) dial(ctx context.Context, peer state.Peer) {
	ctx, end := e.tracer.Action(ctx, reconcile.Connect, string(peer.Node), peer.App)
	limit, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	_, err := e.dialer.Dial(limit, transport.Target{
		Node: string(peer.Node), Addr: peer.Addr, Port: peer.Port, Cookies: e.cookies(peer.App),
	})
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	e.meter.Dialled(peer.App, transport.Reason(err))
	end(transport.Reason(err))
	if err == nil {
		return // Links has recorded it
	}
	tries := e.store.Snapshot().Conn(peer.Node).Tries
	retry := time.Now().Add(backoff(tries+1, dialFirst, dialMost))
	e.record(e.store.RecordDialFailed(peer.Node, transport.Reason(err), transport.Why(err), retry))
	e.log.Debug("dial", "node", peer.Node, "app", peer.App, "reason", transport.Reason(err), "error", err)
}

// Prune closes the connection to n.
func (e *effects) Prune(ctx context.Context, n state.Node) error {
	if err := e.store.RecordPruned(n, time.Now()); err != nil {
		return notOvertaken(err)
	}
	c := e.links.Get(n)
	if c == nil {
		return nil
	}
	e.log.Info("prune", "node", n)
	e.start(ctx, e.tends, func() {
		_, end := e.tracer.Action(ctx, reconcile.Prune, string(n), e.store.Snapshot().Conn(n).App)
		defer end("")
		if err := c.Close(); err != nil && !errors.Is(err, transport.ErrDown) {
			e.log.Error("prune", "node", n, "error", err)
		}
	})
	return nil
}

// Resync learns from a new incarnation of n what a restart may have changed.
func (e *effects) Resync(ctx context.Context, n state.Node) error {
	c := e.links.Get(n)
	if c == nil {
		return nil // lost since the plan was made
	}
	if err := e.store.RecordResyncing(n, c.Peer().Creation); err != nil {
		return notOvertaken(err)
	}
	e.start(ctx, e.tends, func() {
		ctx, end := e.tracer.Action(ctx, reconcile.Resync, string(n), e.store.Snapshot().Conn(n).App)
		limit, cancel := context.WithTimeout(ctx, resyncLimit)
		defer cancel()
		release, err := otpRelease(limit, c)
		if err == nil {
			e.awaitPubSub(limit, n)
			end("")
			e.record(e.store.RecordSynced(n, c.Peer().Creation, release))
			return
		}
		tries := e.store.Snapshot().Conn(n).Tries
		retry := time.Now().Add(backoff(tries+1, dialFirst, dialMost))
		end("ResyncFailed")
		e.record(e.store.RecordSyncFailed(n, c.Peer().Creation, "ResyncFailed", err.Error(), retry))
		e.log.Warn("resync", "node", n, "error", err)
	})
	return nil
}

// awaitPubSub waits until it is known of which PubSub groups a new incarnation is a
// member, for a moment: by then our own workers are members there. A node that does
// not say is no reason to wait with the rest.
func (e *effects) awaitPubSub(ctx context.Context, n state.Node) {
	if !e.hears() {
		return
	}
	limit, cancel := context.WithTimeout(ctx, pubsubLimit)
	defer cancel()
	for limit.Err() == nil {
		snap := e.store.Snapshot()
		if _, known := snap.PubSubOf(n); known || snap.Conn(n).Phase != state.Up {
			return
		}
		_ = snap.Wait(limit, time.Time{}) // its end is the loop's
	}
}

// cookies are those of an app, or none when it uses the node's.
func (e *effects) cookies(app string) []transport.Cookie {
	a, _ := e.store.Snapshot().App(app)
	return Cookies(a.Cookies)
}

// notOvertaken is err, but for an action that newer facts have made wrong since
// its plan was made: not to start it is all there is to do.
func notOvertaken(err error) error {
	if errors.Is(err, state.ErrOvertaken) {
		return nil
	}
	return err
}

// record logs what the store refused: its rows are the outcome of an action, so
// there is nobody to return it to.
func (e *effects) record(err error) {
	if err != nil {
		e.log.Error("record outcome", "error", err)
	}
}
