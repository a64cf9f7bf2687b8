package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ehc/state"
	"ehc/state/outbox"
	"ehc/transport"
	"ehc/transport/etf"
)

const (
	// drainSlice is how long one drain goes on while events keep coming; then
	// it ends, so that the next pass may choose another node.
	drainSlice = 2 * time.Second
	// drainBatch is how many events are read, and struck out, at a time. A crash
	// in between makes at most so many come again, under the same ids.
	drainBatch = 256
)

// Drain delivers what waits for an app through n: one event at a time, the next
// only after the peer has answered ok to the one before.
func (e *effects) Drain(ctx context.Context, n state.Node, app string) error {
	a, err := e.app(app)
	c := e.links.Get(n)
	if err != nil || c == nil || a.Deliver == nil {
		return nil // changed since the plan was made
	}
	if err := e.store.RecordDraining(app, true); err != nil {
		return notOvertaken(err)
	}
	return e.start(ctx, func() {
		count, err := e.drain(ctx, c, a)
		e.drained(ctx, n, app, count, err)
	})
}

// drained records how a drain ended.
func (e *effects) drained(ctx context.Context, n state.Node, app string, count int, err error) {
	var stop *stopError
	switch {
	case err == nil, ctx.Err() != nil:
		e.record(e.store.RecordDrained(app))
	case errors.As(err, &stop):
		tries := e.store.Snapshot().Backlog(app).Tries
		if count > 0 {
			tries = 0
		}
		retry := time.Now().Add(backoff(tries+1, drainFirst, drainMost))
		if errors.Is(err, transport.ErrDown) {
			retry = time.Now().Add(passGap) // the connection's own row says the rest
		}
		e.record(e.store.RecordDrainFailed(app, count > 0, stop.reason, stop.Error(), retry))
		e.log.Warn("drain", "app", app, "node", n, "delivered", count, "reason", stop.reason, "error", err)
	default:
		retry := time.Now().Add(backoff(1, drainFirst, drainMost))
		e.record(e.store.RecordDrainFailed(app, count > 0, "OutboxFailed", err.Error(), retry))
		e.log.Error("drain", "app", app, "node", n, "delivered", count, "error", err)
	}
	if count > 0 {
		e.log.Info("delivered", "app", app, "node", n, "events", count)
	}
}

// drain returns how many events were delivered, and a *stopError if the peer
// stopped it.
func (e *effects) drain(ctx context.Context, c transport.Conn, a state.App) (int, error) {
	count := 0
	for end := time.Now().Add(drainSlice); time.Now().Before(end); {
		events, err := e.box.Head(ctx, a.Name, drainBatch)
		if err != nil || len(events) == 0 {
			return count, err
		}
		done, err := deliverAll(ctx, c, *a.Deliver, events)
		if done > 0 {
			// Struck out even when ctx has ended: the peer has them.
			strike := context.WithoutCancel(ctx)
			if err := e.box.Delivered(strike, a.Name, events[done-1].Seq); err != nil {
				return count, err
			}
			count += done
		}
		if err != nil {
			var stop *stopError
			if ctx.Err() == nil && errors.As(err, &stop) {
				if err := e.box.Failed(ctx, a.Name, events[done].Seq, stop.Error()); err != nil {
					return count, err
				}
			}
			return count, err
		}
	}
	return count, nil
}

// deliverAll delivers events in order and returns how many the peer took.
func deliverAll(ctx context.Context, c transport.Conn, d state.Deliver, events []outbox.Event) (int, error) {
	for i, ev := range events {
		t, err := eventTerm(ev.ID, ev.Type, ev.Payload, ev.InsertedAt)
		if err != nil {
			return i, &stopError{reason: "NotATerm", err: err}
		}
		if err := deliver(ctx, c, d, t); err != nil {
			return i, fmt.Errorf("deliver %s: %w", ev.ID, err)
		}
	}
	return len(events), nil
}

// deliver hands one event to the peer's handler and returns nil once it has
// answered ok, else a *stopError.
func deliver(ctx context.Context, c transport.Conn, d state.Deliver, event etf.Term) error {
	limit, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	answer, err := c.Call(limit, d.Module, d.Function, event)
	if err == nil && answer == etf.Term(etf.Atom("ok")) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("handler answered %s", etf.Text(answer))
	}
	return &stopError{reason: stopReason(err), err: err}
}

// stopError is why an event was not delivered.
type stopError struct {
	reason string
	err    error
}

func (s *stopError) Error() string { return s.err.Error() }
func (s *stopError) Unwrap() error { return s.err }

// stopReason is the stable word for why a handler's call did not end in ok.
func stopReason(err error) string {
	var raised *transport.RaisedError
	var signal *transport.SignalError
	var spawn *transport.SpawnError
	switch {
	case errors.As(err, &raised) && raised.Reason == etf.Term(etf.Atom("undef")):
		return "HandlerUndefined"
	case errors.As(err, &raised):
		return "HandlerRaised"
	case errors.As(err, &signal):
		return "HandlerKilled"
	case errors.As(err, &spawn):
		return "CallRefused"
	case transport.Cause(err) != nil:
		return transport.Reason(err)
	}
	return "HandlerRefused"
}
