package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ehc/state/disk"
)

const selectEvent = "SELECT seq, id, type, payload, inserted_at, crc, tries, last_error FROM outbox_event "

// Head returns the n events that have waited longest for an app, oldest first,
// fewer if fewer wait or if they come to more than MaxCallBytes, and none for
// an app that never had any. It takes nothing out: see Delivered. Events up to
// the number after are left out: a drain reads on behind what is under way.
//
// Every event is checked against its checksum and must follow the one before.
// Those ahead of damage are returned as if there were no more; when the damage
// is first in the queue, Head returns it, a *DamageError, and it stays there.
func (b *Box) Head(ctx context.Context, app string, after uint64, n int) ([]Event, error) {
	var events []Event
	err := b.db.View(ctx, func(tx *disk.Tx) (err error) {
		events, err = read(tx, app, after, n)
		return err
	})
	var d *DamageError
	if errors.As(b.noteDamage(err), &d) && len(events) > 0 {
		return events, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read head of outbox: %w", err)
	}
	return events, nil
}

// List returns up to limit events of an app, or of all apps if app is empty,
// ordered by app and then as they wait, without those up to the number after. A
// limit of 0 or beyond MaxCall is MaxCall, and what exceeds MaxCallBytes is left out.
// At damage it returns the events before it together with the *DamageError.
func (b *Box) List(ctx context.Context, app string, after uint64, limit int) ([]Event, error) {
	if limit <= 0 || limit > MaxCall {
		limit = MaxCall
	}
	var events []Event
	err := b.db.View(ctx, func(tx *disk.Tx) error {
		apps, err := appsOrAll(tx, app)
		if err != nil {
			return err
		}
		bytes := 0
		for _, app := range apps {
			more, err := read(tx, app, after, limit-len(events))
			for _, e := range more {
				if bytes += len(e.Payload); bytes > MaxCallBytes && len(events) > 0 {
					return nil
				}
				events = append(events, e)
			}
			if err != nil || len(events) == limit {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return events, fmt.Errorf("list outbox: %w", b.noteDamage(err))
	}
	return events, nil
}

// appsOrAll is app, or every app if it is empty.
func appsOrAll(tx *disk.Tx, app string) ([]string, error) {
	if app != "" {
		return []string{app}, nil
	}
	return appsOf(tx)
}

// read returns the first n events of an app behind the number after. With a
// *DamageError it returns those before the damage.
func read(tx *disk.Tx, app string, after uint64, n int) ([]Event, error) {
	r, _, err := load(tx, app)
	if err != nil {
		return nil, err
	}
	n = min(n, MaxCall)
	s := scanner{app: app}
	want := max(r.head, min(after, maxSeq)+1)
	from := want
	if after < r.head {
		from = 0 // what is there before the head is damage
	}
	s.events = make([]Event, 0, max(min(n, int(r.next-min(want, r.next))), 0))
	for raw, err := range tx.Query(selectEvent+"WHERE app = ? AND seq >= ? ORDER BY seq LIMIT ?", app, from, max(n, 0)) {
		if err == nil {
			err = s.one(raw)
		}
		if errors.Is(err, disk.ErrDamaged) {
			err = &DamageError{App: app, Seq: want, What: err.Error()}
		}
		if err != nil {
			return s.events, err
		}
		last := len(s.events) - 1
		switch seq := s.events[last].Seq; {
		case seq >= r.next:
			return s.events[:last], &DamageError{App: app, Seq: seq, What: "is there, but was never enqueued"}
		case seq < want:
			return s.events[:last], &DamageError{App: app, Seq: seq, What: "is there, but was delivered"}
		case seq > want:
			return s.events[:last], &DamageError{App: app, Seq: want, What: "is missing"}
		}
		if want++; s.bytes > MaxCallBytes {
			return s.events[:max(last, 1)], nil
		}
	}
	if len(s.events) < n && want < r.next {
		return s.events, &DamageError{App: app, Seq: want, What: "is missing"}
	}
	return s.events, nil
}

// scanner collects events of one app from rows.
type scanner struct {
	app    string
	events []Event
	bytes  int
	at     uint64 // the number of the last row
}

// only is one for a single row, of which nothing says what number it should have.
func (s *scanner) only(raw disk.Row) error {
	err := s.one(raw)
	if errors.Is(err, disk.ErrDamaged) {
		return &DamageError{App: s.app, Seq: s.at, What: err.Error()}
	}
	return err
}

// one adds the event in a row, or reports it if its checksum does not match.
func (s *scanner) one(raw disk.Row) error {
	e := Event{App: s.app}
	var at int64
	var crc uint32
	var payload []byte
	err := raw.Scan(&e.Seq, &e.ID, &e.Type, &payload, &at, &crc, &e.Tries, &e.LastError)
	if s.at = e.Seq; err != nil {
		return fmt.Errorf("read events of %s: %w", s.app, err)
	}
	e.Payload, e.InsertedAt = payload, time.Unix(0, at).UTC()
	if e.crc() != crc {
		return &DamageError{App: s.app, Seq: e.Seq, What: "checksum does not match"}
	}
	s.events = append(s.events, e)
	s.bytes += len(payload)
	return nil
}
