package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ehc/state"
	"ehc/state/disk"
)

// Enqueue puts events at the end of their apps' queues, in this order: all of
// them or none. When it returns nil they are durable, and the events returned,
// one for each given, say where they are. An id that waits for its app already
// is not enqueued again: the event returned for it is the one that waits,
// whatever else was given with the id. Nor is one of a dead letter, or of an
// event that was delivered and is remembered: the event returned for it has the
// Seq that it had, for which Wait says what became of it.
//
// It never waits for room: a *FullError comes at once. It waits for one flush
// of the disk, together with all that is enqueued at that time. ErrInvalid and
// *DamageError say what they say; disk.ErrFull and other errors of the store
// leave the outcome unknown after a crash. Then the events returned have their
// ids, but no Seq: to try again with the same ids enqueues nothing twice.
func (b *Box) Enqueue(ctx context.Context, events ...New) ([]Event, error) {
	out, err := b.check(events)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	after, added, err := b.put(ctx, out, events)
	b.hearOfEnqueue(out, added, err)
	if err != nil {
		for i := range out {
			out[i].Seq = 0
		}
		return out, fmt.Errorf("enqueue: %w", b.noteDamage(err))
	}
	b.learn(after)
	return out, nil
}

// put is Enqueue for events that have been checked. It says how the rows of their
// apps are then, and how many events each has got.
func (b *Box) put(ctx context.Context, out []Event, events []New) (after map[string]rowState, added map[string]int, err error) {
	if joins(events) {
		state, err := b.join(ctx, &out[0])
		if !errors.Is(err, errNotFresh) {
			return map[string]rowState{out[0].App: state}, map[string]int{out[0].App: 1}, err
		}
	}
	limits := b.maxima()
	err = b.db.Write(ctx, func(tx *disk.Tx) (err error) {
		in := insert{tx: tx, limits: limits, now: time.Now(), rows: map[string]*openRow{}}
		if err := in.all(out, events); err != nil {
			return err
		}
		added = in.added()
		after, err = in.close(b)
		return err
	})
	return after, added, err
}

// check applies the limits that need no look at the store, and mints ids.
func (b *Box) check(events []New) ([]Event, error) {
	if len(events) > MaxCall {
		return nil, fmt.Errorf("enqueue: %w: %d events at once: at most %d", ErrInvalid, len(events), MaxCall)
	}
	now, bytes := time.Now(), 0
	out := make([]Event, len(events))
	for i, n := range events {
		e, err := n.event(now, b.MintID)
		if err != nil {
			return nil, fmt.Errorf("enqueue event %d of %d: %w", i+1, len(events), err)
		}
		out[i] = e
		bytes += len(e.Payload)
	}
	if bytes > MaxCallBytes {
		return nil, fmt.Errorf("enqueue: %w: %d bytes at once: at most %d", ErrInvalid, bytes, MaxCallBytes)
	}
	return out, nil
}

// insert is one Enqueue inside its transaction.
type insert struct {
	tx     *disk.Tx
	limits state.OutboxSpec
	now    time.Time
	rows   map[string]*openRow
}

// openRow is an app's row in the making.
type openRow struct {
	row
	isNew   bool // it is not written yet
	changed bool
	added   int // events
}

// all enqueues events.
func (in *insert) all(out []Event, given []New) error {
	for i := 0; i < len(out); {
		n, err := in.many(out[i:], given[i:])
		if err == nil && n == 0 {
			n, err = 1, in.event(&out[i], given[i].fresh())
		}
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

// event enqueues e and sets its Seq, or replaces it by the one that waits. Unless
// the id is new, it is looked for among those that wait no longer.
func (in *insert) event(e *Event, isNew bool) error {
	r, err := in.row(e.App)
	if err != nil {
		return err
	}
	if !isNew {
		if done, err := in.done(e); err != nil || done {
			return err
		}
	}
	if full := r.full(in.limits, e); full != nil {
		return in.known(e, full) // what waits already needs no room
	}
	e.Seq = r.next
	_, added, err := insertFirst(in.tx, []Event{*e}, in.now)
	if err != nil {
		return err
	}
	if added == 0 {
		return in.known(e, fmt.Errorf("event %s of %s is neither new nor there", e.ID, e.App))
	}
	r.add(1, int64(len(e.Payload)), e.InsertedAt)
	return nil
}

// add counts n events that have come to the end of the queue, the first of them
// inserted at a time.
func (r *openRow) add(n int, bytes int64, at time.Time) {
	r.row.add(n, bytes, at)
	r.added += n
	r.changed = true
}

// added is how many events each app's queue has got.
func (in *insert) added() map[string]int {
	n := map[string]int{}
	for app, r := range in.rows {
		n[app] = r.added
	}
	return n
}

// done sets the Seq of an event whose id was delivered or is a dead letter.
func (in *insert) done(e *Event) (bool, error) {
	err := in.tx.QueryRow(`SELECT seq FROM outbox_done WHERE app = ?1 AND id = ?2
		UNION ALL SELECT seq FROM outbox_dead WHERE app = ?1 AND id = ?2 LIMIT 1`, e.App, e.ID).Scan(&e.Seq)
	if errors.Is(err, disk.ErrNoRow) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for id %s of %s: %w", e.ID, e.App, err)
	}
	return true, nil
}

// known replaces e by the event of its id that waits, or returns otherwise.
func (in *insert) known(e *Event, otherwise error) error {
	s := scanner{app: e.App}
	err := s.only(in.tx.QueryRow(selectEvent+"WHERE app = ? AND id = ?", e.App, e.ID))
	if errors.Is(err, disk.ErrNoRow) {
		return otherwise
	}
	if err != nil {
		return err
	}
	*e = s.events[0]
	return nil
}

func (in *insert) row(app string) (*openRow, error) {
	if r := in.rows[app]; r != nil {
		return r, nil
	}
	r, known, err := load(in.tx, app)
	if err == nil && !known {
		err = roomForApps(in.tx, app, 1+len(in.rows))
	}
	if err != nil {
		return nil, err
	}
	in.rows[app] = &openRow{row: r, isNew: !known}
	return in.rows[app], nil
}

// roomForApps returns an error if there cannot be n more apps, the last of them app.
func roomForApps(tx *disk.Tx, app string, n int) error {
	var apps int
	if err := tx.QueryRow("SELECT count(*) FROM outbox_app").Scan(&apps); err != nil {
		return fmt.Errorf("count apps: %w", err)
	}
	if apps+n > MaxApps {
		return fmt.Errorf("%w: app %s is one more than %d", ErrInvalid, app, MaxApps)
	}
	return nil
}

// close writes the rows that changed. Those that did not are learned, too: what
// waits already may have come with another call, that has yet to return.
func (in *insert) close(b *Box) (map[string]rowState, error) {
	after := map[string]rowState{}
	for app, r := range in.rows {
		switch {
		case r.changed && r.isNew: // to be counted by who comes next
			if err := r.write(in.tx, app); err != nil {
				return nil, err
			}
		case r.changed:
			r.save(in.tx, app)
		}
		after[app] = b.stamp(r.row)
	}
	return after, nil
}
