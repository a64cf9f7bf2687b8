package outbox

import (
	"fmt"
	"time"

	"ehc/state/disk"
)

// atOnce is how many events one statement inserts at most. Each costs half as much
// then as with a statement of its own.
const atOnce = 64

const (
	insertEvent = "INSERT INTO outbox_event (app, queued_at, seq, id, type, payload, inserted_at, crc) VALUES "
	unlessKnown = " ON CONFLICT (app, id) DO NOTHING"

	oneRow      = "(?1, ?2, ?, ?, ?, ?, ?, ?)"
	fourRows    = oneRow + ", " + oneRow + ", " + oneRow + ", " + oneRow
	sixteenRows = fourRows + ", " + fourRows + ", " + fourRows + ", " + fourRows
	insertOne   = insertEvent + oneRow + unlessKnown
	insert4     = insertEvent + fourRows + unlessKnown
	insert16    = insertEvent + sixteenRows + unlessKnown
	insert64    = insertEvent + sixteenRows + ", " + sixteenRows + ", " + sixteenRows + ", " + sixteenRows + unlessKnown
)

// first is how many of n events the largest statement takes, and that statement.
func first(n int) (int, string) {
	switch {
	case n >= atOnce:
		return atOnce, insert64
	case n >= 16:
		return 16, insert16
	case n >= 4:
		return 4, insert4
	}
	return 1, insertOne
}

// insertFirst inserts the first of some events of one app with one statement: how
// many it took, and how many of those had ids that were not there.
func insertFirst(tx *disk.Tx, events []Event, now time.Time) (n int, added int64, err error) {
	n, query := first(len(events))
	args := append(make([]any, 0, 2+6*n), events[0].App, now.UnixNano())
	for _, e := range events[:n] {
		args = append(args, int64(e.Seq), e.ID, e.Type, []byte(e.Payload), e.InsertedAt.UnixNano(), int64(e.crc()))
	}
	added, err = tx.Exec(query, args...)
	if err != nil {
		return 0, 0, fmt.Errorf("insert events from %d of %s: %w", events[0].Seq, events[0].App, err)
	}
	return n, added, nil
}

// many enqueues the first events with one statement, as many as are for one app, with
// fresh ids, and find room, and says how many. With less than two it does nothing.
func (in *insert) many(out []Event, given []New) (int, error) {
	r, err := in.row(out[0].App)
	if err != nil {
		return 0, err
	}
	run, bytes := 0, r.bytes
	for run < min(len(out), atOnce, in.limits.MaxEvents-r.pending()) && out[run].App == out[0].App && given[run].fresh() {
		if bytes += int64(len(out[run].Payload)); bytes > in.limits.MaxBytes {
			break
		}
		out[run].Seq = r.next + uint64(run)
		run++
	}
	if n, _ := first(run); n < 2 {
		return 0, nil
	}
	n, added, err := insertFirst(in.tx, out[:run], in.now)
	if err != nil {
		return 0, err
	}
	if int(added) < n { // an id was not fresh after all: one by one
		return 0, takeBack(in.tx, out[0].App, r.next)
	}
	bytes = 0
	for _, e := range out[:n] {
		bytes += int64(len(e.Payload))
	}
	r.add(n, bytes, out[0].InsertedAt)
	return n, nil
}

// takeBack deletes the events that have just been inserted, from a number on.
func takeBack(tx *disk.Tx, app string, from uint64) error {
	if _, err := tx.Exec("DELETE FROM outbox_event WHERE app = ? AND seq >= ?", app, from); err != nil {
		return fmt.Errorf("take back events from %d of %s: %w", from, app, err)
	}
	return nil
}
