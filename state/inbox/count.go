package inbox

import (
	"context"
	"errors"
	"fmt"
	"math"

	"ehc/state/disk"
)

// Counter is a counter and its value.
type Counter struct {
	Name, Key string
	Value     int64
}

// Count returns a counter's value, 0 if no event has changed it yet. A damaged
// row is a *DamageError.
func (b *Box) Count(ctx context.Context, name, key string) (int64, error) {
	row := counterRow{Counter: Counter{Name: name, Key: key}}
	err := b.db.View(ctx, func(tx *disk.Tx) error { return row.load(tx) })
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return row.Value, nil
}

// Counts returns up to limit counters of a name, or of all names if name is
// empty, ordered by name and key, and whether there are more. A limit of 0 or
// beyond MaxCall is MaxCall. At damage it returns those before together with the
// *DamageError.
func (b *Box) Counts(ctx context.Context, name string, limit int) (found []Counter, more bool, err error) {
	if limit <= 0 || limit > MaxCall {
		limit = MaxCall
	}
	query, args := "SELECT name, key, value, crc FROM inbox_count ORDER BY name, key LIMIT ?", []any{limit + 1}
	if name != "" {
		query = "SELECT name, key, value, crc FROM inbox_count WHERE name = ? ORDER BY key LIMIT ?"
		args = []any{name, limit + 1}
	}
	err = b.db.View(ctx, func(tx *disk.Tx) error {
		for raw, err := range tx.Query(query, args...) {
			var row counterRow
			var crc int64
			if err == nil {
				err = raw.Scan(&row.Name, &row.Key, &row.Value, &crc)
			}
			if err = damaged(err, crc, row.crc(), "counter %s of %q", row.Name, row.Key); err != nil {
				return err
			}
			if more = len(found) == limit; more {
				return nil
			}
			found = append(found, row.Counter)
		}
		return nil
	})
	if err != nil {
		return found, false, fmt.Errorf("list counters: %w", err)
	}
	return found, more, nil
}

// counterRow is a counter's row.
type counterRow struct {
	Counter
	n int64 // 0: it has none yet
}

func (c counterRow) crc() uint32 { return checksum([]string{c.Name, c.Key}, uint64(c.Value)) }

// load reads the row of this name and key, if there is one.
func (c *counterRow) load(tx *disk.Tx) error {
	var crc int64
	err := tx.QueryRow("SELECT n, value, crc FROM inbox_count WHERE name = ? AND key = ?", c.Name, c.Key).
		Scan(&c.n, &c.Value, &crc)
	if errors.Is(err, disk.ErrNoRow) {
		return nil
	}
	return damaged(err, crc, c.crc(), "counter %s of %q", c.Name, c.Key)
}

// save writes the row.
func (c *counterRow) save(tx *disk.Tx) error {
	var err error
	if c.n == 0 {
		_, err = tx.Exec("INSERT INTO inbox_count (name, key, value, crc) VALUES (?, ?, ?, ?)",
			c.Name, c.Key, c.Value, int64(c.crc()))
	} else {
		_, err = tx.Exec("UPDATE inbox_count SET value = ?, crc = ? WHERE n = ?", c.Value, int64(c.crc()), c.n)
	}
	if err != nil {
		return fmt.Errorf("write counter %s of %q: %w", c.Name, c.Key, err)
	}
	return nil
}

// change is the event's counter as it will be, not written yet.
func change(tx *disk.Tx, e Event) (counterRow, error) {
	row := counterRow{Counter: Counter{Name: e.Name, Key: e.Key}}
	if err := row.load(tx); err != nil {
		return row, err
	}
	if row.n == 0 {
		// Counters are numbered and never deleted, so the last number counts them.
		var counters int64
		if err := tx.QueryRow("SELECT coalesce(max(n), 0) FROM inbox_count").Scan(&counters); err != nil {
			return row, fmt.Errorf("number counters: %w", err)
		}
		if counters >= MaxCounters {
			return row, fmt.Errorf("%w: counter %s of %q is one more than %d", ErrTooMany, e.Name, e.Key, MaxCounters)
		}
	}
	if e.Delta > 0 && row.Value > math.MaxInt64-e.Delta || e.Delta < 0 && row.Value < math.MinInt64-e.Delta {
		return row, fmt.Errorf("%w: counter %s of %q has no room for %d more", ErrInvalid, e.Name, e.Key, e.Delta)
	}
	row.Value += e.Delta
	return row, nil
}
