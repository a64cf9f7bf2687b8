package outbox

import (
	"context"
	"errors"
	"fmt"

	"ehc/state/disk"
)

// maxSeq is the greatest number that a row can hold and that leaves a next one.
const maxSeq = 1<<63 - 2

// dropAtOnce is how many events, or dead letters, one transaction of a drop
// deletes: on a full volume its log has to fit into the room of the ballast.
const dropAtOnce = 1000

// Drop takes an app's events up to and including through out of the queue
// undelivered, damaged or not, and counts the queue anew from what is left. It
// says how many rows went. Who waits for one of them gets ErrDropped. It is the
// way out of damage, for a person to choose: with through 0 it drops nothing,
// and only makes the counters agree with the events.
//
// It goes step by step, from the head on, each step durable and small enough for
// a full volume: after an error those that it counts are gone, and the others
// wait. What is enqueued meanwhile stays.
//
// Events that are missing right behind through go with it; damage further on
// is reported in its turn. Numbers go on where they were, except if the
// counters were damaged and no event is left to tell. An app that has no queue
// is ErrNotWaiting.
func (b *Box) Drop(ctx context.Context, app string, through uint64) (dropped int, err error) {
	d := dropping{box: b, app: app, through: min(through, maxSeq)}
	for !d.last {
		was := d.gone
		if err := b.db.Free(ctx, func(tx *disk.Tx) error {
			d.undo(was) // of a first try, on a full volume
			return d.step(tx)
		}); err != nil {
			d.undo(was)
			return dropped, fmt.Errorf("drop: %w", err)
		}
		if dropped += d.count; d.last {
			b.mu.Lock()
			b.queue(app).damage = nil
			b.mu.Unlock()
		}
		b.learn(d.after)
		b.hear(Change{App: app, What: Dropped, Events: d.count})
	}
	return dropped, nil
}

// dropping is one Drop, and the outcome of its last step.
type dropping struct {
	box     *Box
	app     string
	through uint64
	count   int
	gone    span // so far, in one piece
	last    bool
	after   map[string]rowState
}

// step drops the next events, and counts anew with the last of them.
func (d *dropping) step(tx *disk.Tx) error {
	d.last, d.after = false, nil
	old, known, err := load(tx, d.app)
	var damage *DamageError
	if err != nil && !errors.As(err, &damage) {
		return err
	}
	if !known {
		return fmt.Errorf("%s has no queue: %w", d.app, ErrNotWaiting)
	}
	if damage == nil {
		d.through = min(d.through, old.next-1) // numbers have no gap
	}
	through, last, err := stepEnd(tx, d.app, d.through)
	if err != nil {
		return err
	}
	count, bytes, err := strike(tx, d.app, through)
	if err != nil {
		return err
	}
	d.count, d.last = int(count), last
	if !last && damage != nil {
		return nil // the last step makes the counters
	}
	r := old
	if last {
		r, err = recount(tx, d.app, old, through)
	} else {
		r.head, r.bytes = max(old.head, through+1), max(old.bytes-bytes, 0)
		r.headAt, err = headAt(tx, d.app, r.head)
	}
	if err != nil {
		return err
	}
	d.note(span{max(old.head, 1), r.head})
	d.after = map[string]rowState{d.app: d.box.stamp(r)}
	r.save(tx, d.app)
	return nil
}

// stepEnd is up to which number one step deletes, and whether that is the last.
func stepEnd(tx *disk.Tx, app string, through uint64) (end uint64, last bool, err error) {
	err = tx.QueryRow("SELECT seq FROM outbox_event WHERE app = ? AND seq <= ? ORDER BY seq LIMIT 1 OFFSET ?",
		app, through, dropAtOnce).Scan(&end)
	switch {
	case errors.Is(err, disk.ErrNoRow):
		return through, true, nil
	case err != nil:
		return 0, false, fmt.Errorf("read events of %s: %w", app, err)
	}
	return end - 1, false, nil
}

// note tells those who wait that a step takes these events, before it is on disk.
func (d *dropping) note(s span) {
	was := d.gone
	if was.to == s.from {
		s.from = was.from
	} else {
		was = span{} // some were delivered between the steps
	}
	d.box.noteDropped(d.app, was, s)
	d.gone = s
}

// undo takes back what a step has noted that came to nothing.
func (d *dropping) undo(was span) {
	if d.gone == was {
		return
	}
	if was.from != d.gone.from {
		d.box.noteDropped(d.app, d.gone, span{})
	} else {
		d.box.noteDropped(d.app, d.gone, was)
	}
	d.gone = was
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
