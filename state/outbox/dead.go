package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ehc/state/disk"
)

// Dead returns up to limit dead letters of an app, or of all apps if app is
// empty, ordered by app and then by the number that they had; after leaves out
// those up to that number. A limit of 0 or beyond MaxCall is MaxCall, and what
// exceeds MaxCallBytes is left out. At damage it returns the letters before it
// together with the *DamageError.
func (b *Box) Dead(ctx context.Context, app string, after uint64, limit int) ([]Letter, error) {
	if limit <= 0 || limit > MaxCall {
		limit = MaxCall
	}
	var found []Letter
	err := b.db.View(ctx, func(tx *disk.Tx) error {
		apps, err := appsOrAll(tx, app)
		if err != nil {
			return err
		}
		bytes := 0
		for _, app := range apps {
			for raw, err := range tx.Query(selectLetter+"WHERE app = ? AND seq > ? ORDER BY seq LIMIT ?", app, after, limit-len(found)) {
				var l Letter
				if err == nil {
					l, err = letter(app, raw)
				}
				if err != nil {
					return err
				}
				if bytes += len(l.Payload); bytes > MaxCallBytes && len(found) > 0 {
					return nil
				}
				found = append(found, l)
			}
		}
		return nil
	})
	if err != nil {
		return found, fmt.Errorf("list dead letters: %w", err)
	}
	return found, nil
}

// Find returns the event of an id that waits for an app, or the dead letter; with
// neither, both are nil.
func (b *Box) Find(ctx context.Context, app, id string) (waits *Event, dead *Letter, err error) {
	err = b.db.View(ctx, func(tx *disk.Tx) error {
		s := scanner{app: app}
		err := s.only(tx.QueryRow(selectEvent+"WHERE app = ? AND id = ?", app, id))
		if err == nil {
			waits = &s.events[0]
			return nil
		}
		if !errors.Is(err, disk.ErrNoRow) {
			return err
		}
		l, err := letter(app, tx.QueryRow(selectLetter+"WHERE app = ? AND id = ?", app, id))
		if errors.Is(err, disk.ErrNoRow) {
			return nil
		}
		dead = &l
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find event %s: %w", id, err)
	}
	return waits, dead, nil
}

// Retry puts dead letters of an app back at the end of its queue, under their ids,
// with new numbers and no tries, in the order in which they were before: those of
// these ids, or all that there are, if ids is nil. An id that is no dead letter is
// passed over. It says how many there were. They go step by step, up to MaxCall with
// MaxCallBytes in each: all of a step or none. A *FullError says that the queue has no
// room for a step; after an error those that it counts wait.
func (b *Box) Retry(ctx context.Context, app string, ids []string, now time.Time) (retried int, err error) {
	for end := uint64(maxSeq); ; {
		out, err := b.retry(ctx, app, ids, end, now)
		if err != nil || len(out) == 0 {
			return retried, err
		}
		retried += len(out)
		end = min(end, out[0].Seq) // those that die once more meanwhile are not for this Retry
	}
}

// retry is one step of Retry, for letters with numbers below end. It returns them as
// they wait.
func (b *Box) retry(ctx context.Context, app string, ids []string, end uint64, now time.Time) ([]Event, error) {
	defer b.moving(app)()
	limits := b.maxima()
	var out []Event
	var after map[string]rowState
	var dead deadState
	var gone []fate
	err := b.db.Write(ctx, func(tx *disk.Tx) error {
		out, after, gone = nil, nil, nil
		found, err := pickLetters(tx, app, ids, end)
		if err != nil || len(found) == 0 {
			return err
		}
		in := insert{tx: tx, limits: limits, now: now, rows: map[string]*openRow{}}
		var less tally
		for _, l := range found {
			less.letters--
			less.bytes -= int64(len(l.Payload))
			if _, err := tx.Exec("DELETE FROM outbox_dead WHERE app = ? AND seq = ?", app, l.Seq); err != nil {
				return fmt.Errorf("delete dead letter %d of %s: %w", l.Seq, app, err)
			}
			e := l.Event
			e.Tries, e.LastError = 0, ""
			if err := in.event(&e, true); err != nil {
				return err
			}
			out, gone = append(out, e), append(gone, fate{l.Seq, e.Seq})
		}
		dead = b.add(tx, app, less)
		after, err = in.close(b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("retry: %w", b.noteDamage(err))
	}
	if len(out) > 0 {
		b.learn(after) // whoever finds a letter's new number knows that it waits
		b.learnDead(app, dead, gone...)
		b.hear(Change{App: app, What: Retried, Events: len(out)})
	}
	return out, nil
}

// pickLetters reads the letters of one step of Retry.
func pickLetters(tx *disk.Tx, app string, ids []string, end uint64) ([]Letter, error) {
	query, args := selectLetter+"WHERE app = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3", []any{app, end, MaxCall}
	if ids != nil {
		query = selectLetter + "WHERE app = ?1 AND seq < ?2 AND id IN (SELECT value FROM json_each(?4)) ORDER BY seq LIMIT ?3"
		args = append(args, idList(ids))
	}
	var found []Letter
	bytes := 0
	for raw, err := range tx.Query(query, args...) {
		var l Letter
		if err == nil {
			l, err = letter(app, raw)
		}
		if err != nil {
			return nil, err
		}
		if bytes += len(l.Payload); bytes > MaxCallBytes && len(found) > 0 {
			break
		}
		found = append(found, l)
	}
	return found, nil
}

// DropDead deletes dead letters of an app for good: those of these ids, damaged
// or not, or all if ids is nil. It says how many there were. All go step by step,
// as with Drop: after an error those that it counts are gone.
func (b *Box) DropDead(ctx context.Context, app string, ids []string) (n int, err error) {
	which, arg := firstLetters, any(dropAtOnce)
	if ids != nil {
		which, arg = someLetters, idList(ids)
	}
	for more := true; more; {
		gone, err := b.dropDead(ctx, app, which, arg)
		if err != nil {
			return n, err
		}
		n += gone
		more = ids == nil && gone == dropAtOnce
	}
	return n, nil
}

// dropDead is one step of DropDead.
func (b *Box) dropDead(ctx context.Context, app, which string, arg any) (n int, err error) {
	defer b.moving(app)()
	var gone []fate
	var dead deadState
	err = b.db.Free(ctx, func(tx *disk.Tx) error {
		less, err := count(tx, which, app, arg)
		if err == nil {
			gone, err = dropped(tx, which, app, arg)
		}
		if err != nil || len(gone) == 0 {
			return err
		}
		if _, err := tx.Exec("DELETE"+which, app, arg); err != nil {
			return fmt.Errorf("delete dead letters of %s: %w", app, err)
		}
		dead = b.add(tx, app, tally{-less.letters, -less.bytes})
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drop dead letters: %w", err)
	}
	if len(gone) > 0 {
		b.learnDead(app, dead, gone...)
		b.hear(Change{App: app, What: DroppedDead, Events: len(gone)})
	}
	return len(gone), nil
}

// dropped are the fates of letters that are about to be dropped.
func dropped(tx *disk.Tx, which, app string, arg any) (gone []fate, err error) {
	for raw, err := range tx.Query("SELECT seq"+which, app, arg) {
		var f fate
		if err == nil {
			err = raw.Scan(&f.was)
		}
		if err != nil {
			return nil, fmt.Errorf("read dead letters of %s: %w", app, err)
		}
		gone = append(gone, f)
	}
	return gone, nil
}

// idList is ids as the JSON text that the queries take apart.
func idList(ids []string) string {
	text, err := json.Marshal(ids)
	if err != nil {
		panic(err) // strings can always be written
	}
	return string(text)
}
