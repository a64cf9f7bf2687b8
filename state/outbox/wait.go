package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ehc/state/disk"
)

// maxDropped is how many drops of one app Wait remembers.
const maxDropped = 64

// waiter is one Wait.
type waiter struct {
	seq  uint64
	done chan error // has room for the answer
}

// span is the numbers from and up to, but not including, to.
type span struct{ from, to uint64 }

// Wait returns nil when an app's event seq has been delivered, at once if it
// has been before. It returns ErrDead if it went to the dead letters and is still
// there, ErrDropped if a person dropped it since the Box
// was opened, ErrNotWaiting for a number that was never enqueued, and ctx's
// error when that ends. One of the last letters that were put back since the Box was
// opened is waited for under its new number.
func (b *Box) Wait(ctx context.Context, app string, seq uint64) error {
	return b.fate(ctx, app, seq, b.wait)
}

// isAlive returns ErrDead for a dead letter.
func (b *Box) isAlive(ctx context.Context, app string, seq uint64) error {
	return b.db.View(ctx, func(tx *disk.Tx) error {
		var one int
		err := tx.QueryRow("SELECT 1 FROM outbox_dead WHERE app = ? AND seq = ?", app, seq).Scan(&one)
		switch {
		case errors.Is(err, disk.ErrNoRow):
			return nil
		case err != nil:
			return fmt.Errorf("wait for event %d of %s: %w", seq, app, err)
		}
		return fmt.Errorf("wait for event %d of %s: %w", seq, app, ErrDead)
	})
}

// hasDead says whether an app has dead letters.
func (b *Box) hasDead(app string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queues[app].dead.letters > 0
}

// wait returns when the event has left the queue.
func (b *Box) wait(ctx context.Context, app string, seq uint64) error {
	b.mu.Lock()
	err := b.left(app, seq)
	if !errors.Is(err, ErrWaiting) {
		b.mu.Unlock()
		return err
	}
	q, w := b.queues[app], &waiter{seq: seq, done: make(chan error, 1)}
	if q.waiters == nil {
		q.waiters = map[*waiter]bool{}
	}
	q.waiters[w] = true
	b.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(q.waiters, w)
		return ctx.Err()
	}
}

// left is how an event has left the queue, or ErrWaiting. The caller holds mu.
func (b *Box) left(app string, seq uint64) error {
	q := b.queues[app]
	switch {
	case q == nil || seq == 0 || seq >= q.row.next:
		return fmt.Errorf("wait for event %d of %s: %w", seq, app, ErrNotWaiting)
	case seq >= q.row.head:
		return fmt.Errorf("event %d of %s: %w", seq, app, ErrWaiting)
	}
	return q.outcome(seq)
}

// wake answers those whose event has left the queue. The caller holds mu.
func (q *queue) wake() {
	for w := range q.waiters {
		if w.seq < q.row.head {
			delete(q.waiters, w)
			w.done <- q.outcome(w.seq)
		}
	}
}

// outcome is how an event left the queue. The caller holds mu.
func (q *queue) outcome(seq uint64) error {
	for _, d := range q.dropped {
		if d.from <= seq && seq < d.to {
			return fmt.Errorf("wait for event %d: %w", seq, ErrDropped)
		}
	}
	return nil
}

// noteDropped puts the span is in the place of was. It is called before the drop is
// on disk, so that whoever learns of it, by whichever call, finds out why, and once
// more to take back a drop that came to nothing. An empty span is none.
func (b *Box) noteDropped(app string, was, is span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue(app)
	if i := slices.Index(q.dropped, was); i >= 0 {
		q.dropped = slices.Delete(q.dropped, i, i+1)
	}
	if is == (span{}) {
		return
	}
	q.dropped = append(q.dropped, is)
	if over := len(q.dropped) - maxDropped; over > 0 {
		q.dropped = q.dropped[over:]
	}
}
