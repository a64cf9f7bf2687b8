package outbox

import (
	"context"
	"errors"
	"fmt"

	"ehc/state/disk"
)

// maxSeq is the greatest number that a row can hold and that leaves a next one.
const maxSeq = 1<<63 - 2

// Drop takes an app's events up to and including through out of the queue
// undelivered, damaged or not, and counts the queue anew from what is left. It
// says how many rows went. Who waits for one of them gets ErrDropped. It is the
// way out of damage, for a person to choose: with through 0 it drops nothing,
// and only makes the counters agree with the events.
//
// Events that are missing right behind through go with it; damage further on
// is reported in its turn. Numbers go on where they were, except if the
// counters were damaged and no event is left to tell. An app that has no queue
// is ErrNotWaiting.
func (b *Box) Drop(ctx context.Context, app string, through uint64) (dropped int, err error) {
	d := dropping{box: b, app: app, through: through}
	if err := b.db.Free(ctx, d.run); err != nil {
		b.forgetDropped(app, d.gone)
		return 0, fmt.Errorf("drop: %w", err)
	}
	b.mu.Lock()
	b.queue(app).damage = nil
	b.mu.Unlock()
	b.learn(map[string]rowState{app: d.after})
	b.hear(Change{App: app, What: Dropped, Events: d.dropped})
	return d.dropped, nil
}

// dropping is one Drop and its outcome.
type dropping struct {
	box     *Box
	app     string
	through uint64

	dropped int
	gone    span
	after   rowState
}

func (d *dropping) run(tx *disk.Tx) error {
	d.box.forgetDropped(d.app, d.gone) // of a first try, on a full volume
	old, known, err := load(tx, d.app)
	var damage *DamageError
	if err != nil && !errors.As(err, &damage) {
		return err
	}
	if !known {
		return fmt.Errorf("%s has no queue: %w", d.app, ErrNotWaiting)
	}
	through := min(d.through, maxSeq)
	if damage == nil {
		through = min(through, old.next-1) // numbers have no gap
	}
	count, _, err := strike(tx, d.app, through)
	if err != nil {
		return err
	}
	r, err := recount(tx, d.app, old, through)
	if err != nil {
		return err
	}
	d.dropped, d.after = int(count), d.box.stamp(r)
	d.gone = span{max(old.head, 1), r.head}
	d.box.noteDropped(d.app, d.gone)
	r.save(tx, d.app)
	return nil
}

// recount makes an app's row from its events. Where there is none, the old row
// and through say which numbers have been used.
func recount(tx *disk.Tx, app string, old row, through uint64) (r row, err error) {
	err = tx.QueryRow(`SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) + 1, coalesce(sum(length(payload)), 0)
		FROM outbox_event WHERE app = ?`, app).Scan(&r.head, &r.next, &r.bytes)
	if err != nil {
		return row{}, fmt.Errorf("count events of %s: %w", app, err)
	}
	r.next = max(r.next, old.next, 1)
	if r.head == 0 {
		r.next = max(r.next, through+1)
		r.head = r.next
	}
	r.headAt, err = headAt(tx, app, r.head)
	return r, err
}
