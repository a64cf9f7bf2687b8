package outbox

import (
	"context"
	"errors"
	"time"

	"ehc/state"
	"ehc/state/disk"
)

// maxJoining is the largest payload of an event that joins a tail: so what the store
// counts of a commit is off by little.
const maxJoining = 16 << 10

// errNotFresh says that an id was there that should have been fresh.
var errNotFresh = errors.New("an id is not fresh")

// tail is an app's row while a commit is made, and the events at the end of its queue
// that the row counts but that are still to be written: those of calls with one event.
// They are written together, as the commit ends or somebody looks at the queue. If one
// of them has an id that is there already, all of them come to nothing, since those
// behind it have wrong numbers.
type tail struct {
	row
	before row // without the events
	events []Event
	lost   []*bool // of each: whether it came to nothing
	now    time.Time
}

// tailKey is what an app's tail is kept under.
type tailKey string

// save has a tail written as the commit ends. Nothing that changes it may fail after
// that.
func (t tail) save(tx *disk.Tx, app string) { tx.Keep(tailKey(app), t, writeTail) }

func writeTail(tx *disk.Tx, key, last any) error {
	app := string(key.(tailKey))
	r, err := last.(tail).settle(tx, app)
	if err != nil {
		return err
	}
	return r.write(tx, app)
}

// settle writes the events, and returns the row as it is then.
func (t tail) settle(tx *disk.Tx, app string) (row, error) {
	after := t.row
	for left := t.events; len(left) > 0; {
		n, added, err := insertFirst(tx, left, t.now)
		if err == nil && int(added) < n {
			after, n = t.before, len(left)
			err = takeBack(tx, app, t.before.next)
		}
		if err != nil {
			return row{}, err
		}
		left = left[n:]
	}
	for _, lost := range t.lost {
		*lost = after == t.before
	}
	return after, nil
}

// joins says whether a call is of one event that can join a tail.
func joins(events []New) bool {
	return len(events) == 1 && events[0].fresh() && len(events[0].Payload) <= maxJoining
}

// join is put for an event that can join the tail of its app's queue. It sets its Seq
// and says how the app's row is then. With errNotFresh nothing has happened.
func (b *Box) join(ctx context.Context, e *Event) (after rowState, err error) {
	limits := b.maxima()
	lost := false
	// It fails before it changes anything.
	err = b.db.WriteWhole(ctx, func(tx *disk.Tx) error {
		t, known, err := peek(tx, e.App)
		if err == nil && !known {
			err = roomForApps(tx, e.App, 1)
		}
		if err == nil {
			err = t.full(limits, e)
		}
		if err != nil {
			return err
		}
		if len(t.events) == 0 {
			t.before = t.row
		}
		e.Seq = t.next
		t.events, t.lost, t.now = append(t.events, *e), append(t.lost, &lost), time.Now()
		t.add(1, int64(len(e.Payload)), e.InsertedAt)
		if !known { // to be counted by who comes next
			if err := t.write(tx, e.App); err != nil {
				return err
			}
		}
		t.save(tx, e.App)
		after = b.stamp(t.row)
		return nil
	})
	if err == nil && lost {
		err = errNotFresh
	}
	return after, err
}

// full is a *FullError if there is no room for e.
func (r row) full(limits state.OutboxSpec, e *Event) error {
	if r.pending() < limits.MaxEvents && r.bytes+int64(len(e.Payload)) <= limits.MaxBytes {
		return nil
	}
	return &FullError{App: e.App, Events: r.pending(), MaxEvents: limits.MaxEvents, Bytes: r.bytes, MaxBytes: limits.MaxBytes}
}

// add counts n events that have come to the end of the queue, the first of them
// inserted at a time.
func (r *row) add(n int, bytes int64, at time.Time) {
	if r.pending() == 0 {
		r.headAt = at.UnixNano()
	}
	r.next += uint64(n)
	r.bytes += bytes
}
