package outbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ehc/state/disk"
)

// Bury moves the event seq, which must be the first of its app's queue, to the
// dead letters, in one durable transaction: the next event is the first then.
// reason is a stable word, why the same for people; it counts as a try that
// failed. An event that is not the first is ErrNotWaiting. A *DeadFullError says
// that there is no room for the letter; then, and with any other error, the event
// is where it was. It works on a full volume too, as long as the ballast lasts.
func (b *Box) Bury(ctx context.Context, app string, seq uint64, reason, why string, now time.Time) error {
	_, err := b.bury(ctx, app, func(tx *disk.Tx, r row) ([]Letter, error) {
		if seq != r.head || seq >= r.next {
			return nil, fmt.Errorf("event %d of %s is not the first: %w", seq, app, ErrNotWaiting)
		}
		events, err := read(tx, app, 0, 1)
		if err != nil {
			return nil, err
		}
		e := events[0]
		e.Tries, e.LastError = e.Tries+1, cut(why)
		return []Letter{{Event: e, Reason: reason}}, nil
	}, now)
	if err != nil {
		return fmt.Errorf("bury event %d: %w", seq, err)
	}
	return nil
}

// expireAtOnce is how many events one transaction of Expire looks at.
const expireAtOnce = 256

// Expire moves the events at the head of an app's queue that have waited for
// longer than MaxAge to the dead letters, for the reason Expired. It says how
// many, and when the first that is left will have waited so long: zero if none
// waits or there is no such limit. An event's age counts from when it was
// enqueued, or retried, whatever its InsertedAt is. A *DeadFullError leaves those
// that found no room where they were; on a full volume it goes on as Bury does.
func (b *Box) Expire(ctx context.Context, app string, now time.Time) (expired int, next time.Time, err error) {
	age := b.maxima().MaxAge
	if age <= 0 {
		return 0, time.Time{}, nil
	}
	for {
		var old int
		old, next, err = b.expirable(ctx, app, now.Add(-age))
		if err == nil && old > 0 {
			old, err = b.expire(ctx, app, now, now.Add(-age))
		}
		if err != nil {
			return expired, time.Time{}, fmt.Errorf("expire events: %w", err)
		}
		if old == 0 {
			if !next.IsZero() {
				next = next.Add(age)
			}
			return expired, next, nil
		}
		expired += old
	}
}

// expirable looks, without a write, how many events at the head were enqueued at
// limit or before, up to expireAtOnce, and when the one after them was.
func (b *Box) expirable(ctx context.Context, app string, limit time.Time) (old int, next time.Time, err error) {
	err = b.db.View(ctx, func(tx *disk.Tx) error {
		old, next, err = ageOfHead(tx, app, limit)
		return err
	})
	return old, next, err
}

func ageOfHead(tx *disk.Tx, app string, limit time.Time) (old int, next time.Time, err error) {
	for raw, err := range tx.Query(`SELECT iif(queued_at = 0, inserted_at, queued_at) FROM outbox_event
		WHERE app = ? ORDER BY seq LIMIT ?`, app, expireAtOnce) {
		var at int64
		if err == nil {
			err = raw.Scan(&at)
		}
		if err != nil {
			return 0, time.Time{}, fmt.Errorf("read ages of %s: %w", app, err)
		}
		if next = time.Unix(0, at).UTC(); next.After(limit) {
			return old, next, nil
		}
		old++
	}
	return old, time.Time{}, nil
}

func (b *Box) expire(ctx context.Context, app string, now, limit time.Time) (n int, err error) {
	return b.bury(ctx, app, func(tx *disk.Tx, _ row) ([]Letter, error) {
		old, _, err := ageOfHead(tx, app, limit)
		if err != nil || old == 0 {
			return nil, err
		}
		events, err := read(tx, app, 0, old)
		found := make([]Letter, 0, len(events))
		for _, e := range events {
			if e.LastError == "" {
				e.LastError = "waited for too long"
			}
			found = append(found, Letter{Event: e, Reason: Expired})
		}
		if len(found) > 0 {
			err = nil // those ahead of damage can go
		}
		return found, err
	}, now)
}

// bury moves the events that pick returns, which are the first of the queue: those
// for which there is room, if that is one at least. It says how many.
func (b *Box) bury(ctx context.Context, app string, pick func(*disk.Tx, row) ([]Letter, error), now time.Time) (n int, err error) {
	limits := b.maxima()
	var after map[string]rowState
	var dead deadState
	var buried []Letter
	// What moves needs hardly more room than it had, and a queue that cannot move
	// on would never give any back.
	err = b.db.Free(ctx, func(tx *disk.Tx) error {
		after, dead, buried = nil, deadState{}, nil // of a first try, on a full volume
		r, _, err := load(tx, app)
		if err != nil {
			return err
		}
		found, err := pick(tx, r)
		if err != nil || len(found) == 0 {
			return err
		}
		had, more := b.tally(tx, app), tally{}
		for i, l := range found {
			bytes := more.bytes + int64(len(l.Payload))
			if had.letters+i+1 > limits.MaxDead || had.bytes+bytes > limits.MaxBytes {
				found = found[:i]
				break
			}
			more = tally{i + 1, bytes}
			l.DiedAt = now.Round(0).UTC()
			if err := l.insert(tx); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			return &DeadFullError{App: app, Letters: had.letters, MaxDead: limits.MaxDead, MaxBytes: limits.MaxBytes}
		}
		if r, err = r.strike(tx, app, found[len(found)-1].Seq); err != nil {
			return err
		}
		after, dead, buried = map[string]rowState{app: b.stamp(r)}, b.add(tx, app, more), found
		r.save(tx, app)
		return nil
	})
	if err != nil {
		return 0, b.noteDamage(err)
	}
	if after != nil {
		b.learnDead(app, dead) // first: who is woken by the other asks for it
		b.learn(after)
		b.hear(Change{App: app, What: Buried, Reason: buried[0].Reason, Events: len(buried)}) // one reason for all of them
	}
	return len(buried), nil
}

// cut bounds why a delivery failed to what a row may hold.
func cut(why string) string {
	if len(why) > MaxWhy {
		why = why[:MaxWhy]
	}
	return strings.ToValidUTF8(why, "\uFFFD")
}
