package inbox

import (
	"context"
	"errors"
	"fmt"

	"ehc/state/disk"
)

// Result is what became of events.
type Result struct {
	// Handled is how many of them, from the first on, are now known and counted.
	Handled int
	// Changed are the counters that the new ones among those changed, each with
	// its value after that event, in the events' order.
	Changed []Counter
	// Damage is what was wrong with ids that were to be forgotten: they are gone,
	// and the place of the last such is not kept. nil if nothing was.
	Damage *DamageError
}

// Handle remembers an event and changes its counter, in one durable transaction.
// An event that is known changes nothing, and fresh is false: whoever sent it may
// be told that it is handled, in either case. With an error nothing has changed:
// ErrInvalid, ErrTooMany, a *DamageError, or what the store says, such as
// disk.ErrFull, after which a crash may still bring the event back: it is then
// known when it is sent again.
func (b *Box) Handle(ctx context.Context, e Event) (fresh bool, err error) {
	r, err := b.HandleAll(ctx, []Event{e})
	return len(r.Changed) == 1, err
}

// HandleAll handles events in order, up to MaxCall, in one transaction. At one
// that cannot be handled it stops: those before it are handled and on disk, as
// the Result says, and the error is that of Handle for this one. If the store
// fails, none is.
func (b *Box) HandleAll(ctx context.Context, events []Event) (Result, error) {
	if len(events) > MaxCall {
		return Result{}, fmt.Errorf("handle: %w: %d events at once: at most %d", ErrInvalid, len(events), MaxCall)
	}
	if len(events) == 0 {
		return Result{}, nil
	}
	limits := b.maxima()
	var r Result
	var stop error
	err := b.db.Write(ctx, func(tx *disk.Tx) error {
		r, stop = Result{}, nil
		for _, e := range events {
			c, fresh, err := handle(tx, e)
			if refused(err) {
				stop = err
				break
			}
			if err != nil {
				return err
			}
			r.Handled++
			if fresh {
				r.Changed = append(r.Changed, c)
			}
		}
		b.since += len(r.Changed)
		if b.since < b.every {
			return nil
		}
		b.since = 0
		var err error
		r.Damage, err = forget(tx, limits, events[0].At, 2*max(b.every, len(r.Changed)))
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("handle events: %w", err)
	}
	if stop != nil {
		return r, fmt.Errorf("handle event %s: %w", events[r.Handled].ID, stop)
	}
	return r, nil
}

// refused says whether err is of one event alone, for which nothing was written.
func refused(err error) bool {
	var d *DamageError
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrTooMany) || errors.As(err, &d)
}

// handle does one event: the checks first, so that one that is refused has
// written nothing. A replay is known whatever has become of its counter.
func handle(tx *disk.Tx, e Event) (c Counter, fresh bool, err error) {
	if err := e.check(); err != nil {
		return Counter{}, false, err
	}
	s := source{name: e.Source}
	if e.Source != "" {
		if err := s.load(tx); err != nil {
			return Counter{}, false, err
		}
		if s.known && !e.Place.beyond(s.forgotten) {
			return Counter{}, false, nil
		}
	}
	row, err := change(tx, e)
	if err != nil {
		known, kerr := remembered(tx, e.ID)
		if kerr != nil || known {
			return Counter{}, false, kerr
		}
		return Counter{}, false, err
	}
	n, err := tx.Exec(`INSERT INTO inbox_event (id, source, epoch, seq, at, crc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, e.ID, e.Source, e.Place.Epoch, e.Place.Seq, e.At.UnixNano(), int64(e.crc()))
	if err != nil {
		return Counter{}, false, fmt.Errorf("remember event %s: %w", e.ID, err)
	}
	if n == 0 {
		_, err := remembered(tx, e.ID)
		return Counter{}, false, err
	}
	if e.Source != "" && !s.known {
		if err := s.save(tx); err != nil {
			return Counter{}, false, err
		}
	}
	return row.Counter, true, row.save(tx)
}

// remembered says whether the id has a row, and checks that.
func remembered(tx *disk.Tx, id string) (bool, error) {
	_, _, err := scanEvent(tx.QueryRow(selectEvent+"WHERE id = ?", id))
	if errors.Is(err, disk.ErrNoRow) {
		return false, nil
	}
	return err == nil, err
}
