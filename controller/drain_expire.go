package controller

import (
	"context"
	"errors"
	"time"

	"ehc/controller/history"
	"ehc/state/outbox"
)

// expireAgain is how long old events wait for another try to bury them: when that
// failed, or when a drain is under way, which buries them itself as it begins.
const expireAgain = time.Minute

// expire buries the events of every app that have waited for too long, as soon as
// they have, until ctx ends: also while nothing is connected.
func (c *Controller) expire(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.older:
		case <-timer.C:
		}
		if next := c.effects.expireAll(ctx); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
	}
}

// lookForOld has expire look at the queues: one is no longer empty, or the limit
// has changed.
func (c *Controller) lookForOld() {
	select {
	case c.older <- struct{}{}:
	default: // it is about to look
	}
}

// expireAll says when to look again; zero when there is nothing to wait for.
func (e *effects) expireAll(ctx context.Context) time.Time {
	var next time.Time
	for _, s := range e.box.Stats() {
		if s.Pending == 0 {
			continue
		}
		at := e.expireOne(ctx, s.App)
		if next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

func (e *effects) expireOne(ctx context.Context, app string) time.Time {
	turn := e.queues.turn(app)
	if !turn.TryLock() {
		return time.Now().Add(expireAgain)
	}
	defer turn.Unlock()
	n, next, err := e.box.Expire(ctx, app, time.Now())
	if n > 0 {
		e.tellExpired(app, n)
	}
	var full *outbox.DeadFullError
	var damage *outbox.DamageError
	switch {
	case err == nil:
		return next
	case ctx.Err() == nil && !errors.As(err, &full) && !errors.As(err, &damage): // status tells of those
		e.log.Error("expire", "app", app, "error", err)
	}
	return time.Now().Add(expireAgain)
}

// tellExpired tells of events that have waited for too long.
func (e *effects) tellExpired(app string, n int) {
	e.log.Warn("dead letters", "app", app, "events", n, "reason", outbox.Expired)
	e.tell(history.Entry{
		Kind: history.DeadLetter, Warning: true, App: app, Reason: outbox.Expired,
		Message: "events that waited for longer than max_age: ehc outbox list -dead",
	})
}
