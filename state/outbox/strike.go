package outbox

import (
	"context"
	"fmt"

	"ehc/state/disk"
)

// Delivered strikes out an app's events up to and including through, in one
// durable transaction. They are never returned again, and the ids of the last of
// them are remembered, as many as the limit says. Those struck out before
// are no error; a number that was never enqueued is ErrNotWaiting. If it
// fails, all of them still wait. It works on a full volume too, as long as the
// ballast lasts.
func (b *Box) Delivered(ctx context.Context, app string, through uint64) error {
	remember := b.maxima().Remember
	var after map[string]rowState
	struck := 0
	err := b.db.Free(ctx, func(tx *disk.Tx) error {
		after, struck = nil, 0
		r, _, err := load(tx, app)
		if err != nil || through < r.head {
			return err
		}
		if through >= r.next {
			return fmt.Errorf("%s has no event %d: %w", app, through, ErrNotWaiting)
		}
		if err := recall(tx, app, through, remember); err != nil {
			return err
		}
		struck = int(through - r.head + 1)
		if r, err = r.strike(tx, app, through); err != nil {
			return err
		}
		after = map[string]rowState{app: b.stamp(r)}
		r.save(tx, app)
		return nil
	})
	if err != nil {
		return fmt.Errorf("strike out: %w", b.noteDamage(err))
	}
	b.learn(after)
	b.hear(Change{App: app, What: Delivered, Events: struck})
	return nil
}

// recall remembers the ids of an app's events up to through, which have been
// delivered, and forgets those that are older than the last remember numbers.
func recall(tx *disk.Tx, app string, through uint64, remember int) error {
	oldest := through - min(through, uint64(remember))
	_, err := tx.Exec(`INSERT OR REPLACE INTO outbox_done (app, seq, id)
		SELECT app, seq, id FROM outbox_event WHERE app = ? AND seq > ? AND seq <= ?`, app, oldest, through)
	if err == nil {
		_, err = tx.Exec("DELETE FROM outbox_done WHERE app = ? AND seq <= ?", app, oldest)
	}
	if err != nil {
		return fmt.Errorf("remember ids of %s: %w", app, err)
	}
	return nil
}

// strike deletes an app's events from the head up to through, and returns the
// row as it is then, which is not saved yet.
func (r row) strike(tx *disk.Tx, app string, through uint64) (row, error) {
	count, bytes, err := strike(tx, app, through)
	if err != nil {
		return r, err
	}
	if want := through - r.head + 1; count != want {
		return r, &DamageError{App: app, Seq: r.head, What: fmt.Sprintf("from it to %d there are %d events, not %d", through, count, want)}
	}
	r.head, r.bytes = through+1, max(r.bytes-bytes, 0)
	r.headAt, err = headAt(tx, app, r.head)
	return r, err
}

// strike deletes an app's events up to through, and says what they were.
func strike(tx *disk.Tx, app string, through uint64) (count uint64, bytes int64, err error) {
	err = tx.QueryRow("SELECT count(*), coalesce(sum(length(payload)), 0) FROM outbox_event WHERE app = ? AND seq <= ?",
		app, through).Scan(&count, &bytes)
	if err == nil {
		_, err = tx.Exec("DELETE FROM outbox_event WHERE app = ? AND seq <= ?", app, through)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("delete events of %s: %w", app, err)
	}
	return count, bytes, nil
}

// Failed notes that a delivery of an event failed, and why; it stays where it
// is. An event that does not wait is ErrNotWaiting. It works on a full volume as
// Bury does, which comes after enough of it.
func (b *Box) Failed(ctx context.Context, app string, seq uint64, why string) error {
	why = cut(why)
	err := b.db.Free(ctx, func(tx *disk.Tx) error {
		n, err := tx.Exec("UPDATE outbox_event SET tries = tries + 1, last_error = ? WHERE app = ? AND seq = ?", why, app, seq)
		if err == nil && n == 0 {
			err = ErrNotWaiting
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("note failure of event %d of %s: %w", seq, app, err)
	}
	b.hear(Change{App: app, What: Failed, Events: 1})
	return nil
}
