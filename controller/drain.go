package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"ehc/reconcile"
	"ehc/state"
	"ehc/state/outbox"
	"ehc/transport"
)

// Drain delivers what waits for an app through n: in order, and no event before
// the peer has answered for those ahead of it.
func (e *effects) Drain(ctx context.Context, n state.Node, app string) error {
	a, _ := e.store.Snapshot().App(app)
	c := e.links.Get(n)
	if c == nil || a.Removed || a.Deliver == nil {
		return nil // changed since the plan was made
	}
	if err := e.store.RecordDraining(app); err != nil {
		return notOvertaken(err)
	}
	e.start(ctx, e.drains, func() {
		turn := e.queues.turn(app)
		ctx, end := e.tracer.Action(ctx, reconcile.Drain, string(n), app)
		turn.Lock() // at most for as long as old events are moved away
		moved, err := e.drain(ctx, c, a.App)
		turn.Unlock()
		end(stopReason(err))
		e.drained(ctx, n, app, moved, err)
	})
	return nil
}

// stopReason is the word for why a drain stopped; empty if nothing was in its way.
func stopReason(err error) string {
	var stop *stopError
	var damage *outbox.DamageError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &stop):
		return stop.reason
	case errors.As(err, &damage):
		return "Damaged"
	}
	return "OutboxFailed"
}

// drained records how a drain ended.
func (e *effects) drained(ctx context.Context, n state.Node, app string, moved progress, err error) {
	some := moved.delivered+moved.buried > 0
	if moved.delivered > 0 {
		e.log.Info("delivered", "app", app, "node", n, "events", moved.delivered)
	}
	if err == nil || ctx.Err() != nil {
		e.record(e.store.RecordDrained(app))
		return
	}
	var stop *stopError
	var damage *outbox.DamageError
	reason, tries := stopReason(err), 1
	switch {
	case errors.As(err, &damage):
		tries = 30 // only a person can end this
	case !some:
		tries += e.store.Snapshot().Backlog(app).Tries
	}
	retry := time.Now().Add(backoff(tries, drainFirst, drainMost))
	if errors.Is(err, transport.ErrDown) {
		retry = time.Now().Add(drainGap) // the connection's own row says the rest
	}
	e.record(e.store.RecordDrainFailed(app, n, some, reason, err.Error(), retry))
	if errors.As(err, &stop) {
		e.log.Warn("drain", "app", app, "node", n, "delivered", moved.delivered, "reason", reason, "error", err)
		return
	}
	e.log.Error("drain", "app", app, "node", n, "delivered", moved.delivered, "reason", reason, "error", err)
}

// queues is what the drains of all apps share.
type queues struct {
	mu    sync.Mutex
	turns map[string]*sync.Mutex
	paces map[paceKey]*pace
}

type paceKey struct {
	app  string
	node string
}

func newQueues() *queues {
	return &queues{turns: map[string]*sync.Mutex{}, paces: map[paceKey]*pace{}}
}

// turn is held by whoever takes events out of an app's queue: a drain, or what
// moves old events to the dead letters. Without it an event under way could become
// a dead letter although the peer takes it.
func (q *queues) turn(app string) *sync.Mutex {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.turns[app]
	if t == nil {
		t = &sync.Mutex{}
		q.turns[app] = t
	}
	return t
}

// pace returns how the peer at the other end of c takes an app's events: what was
// learned on this connection, or nothing yet. What was learned on others that
// have ended is forgotten.
func (q *queues) pace(c transport.Conn, app string, links *Links) *pace {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := paceKey{app, c.Peer().Node}
	if p := q.paces[key]; p != nil && p.conn == c {
		return p
	}
	for k, p := range q.paces {
		if links == nil || links.Get(state.Node(k.node)) != p.conn {
			delete(q.paces, k)
		}
	}
	p := &pace{conn: c, size: firstBatch}
	q.paces[key] = p
	return p
}
