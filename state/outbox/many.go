package outbox

import "fmt"

// atOnce is how many events one statement inserts, where it can: it costs a good
// part less than as many statements.
const atOnce = 20

const (
	insertEvent = "INSERT INTO outbox_event (app, seq, id, type, payload, inserted_at, crc, queued_at) VALUES "
	unlessKnown = " ON CONFLICT (app, id) DO NOTHING"

	oneRow     = "(?, ?, ?, ?, ?, ?, ?, ?)"
	fiveRows   = oneRow + ", " + oneRow + ", " + oneRow + ", " + oneRow + ", " + oneRow
	insertOne  = insertEvent + oneRow + unlessKnown
	insertMany = insertEvent + fiveRows + ", " + fiveRows + ", " + fiveRows + ", " + fiveRows + unlessKnown
)

// many enqueues the first atOnce events with one statement and says so, if they are
// for one app, their ids are fresh, and there is room for all. Else it does nothing.
func (in *insert) many(out []Event, given []New) (bool, error) {
	if len(out) < atOnce {
		return false, nil
	}
	r, err := in.row(out[0].App)
	if err != nil {
		return false, err
	}
	args := make([]any, 0, 8*atOnce)
	var bytes int64
	for i := range out[:atOnce] {
		e := &out[i]
		if e.App != out[0].App || !given[i].fresh() {
			return false, nil
		}
		e.Seq = r.next + uint64(i)
		bytes += int64(len(e.Payload))
		args = e.appendRow(args, in.now)
	}
	if r.pending()+atOnce > in.limits.MaxEvents || r.bytes+bytes > in.limits.MaxBytes {
		return false, nil
	}
	n, err := in.tx.Exec(insertMany, args...)
	if err != nil {
		return false, fmt.Errorf("insert events from %d of %s: %w", r.next, out[0].App, err)
	}
	if n < atOnce { // an id was not fresh after all: one by one
		_, err := in.tx.Exec("DELETE FROM outbox_event WHERE app = ? AND seq >= ?", out[0].App, r.next)
		if err != nil {
			return false, fmt.Errorf("take back events from %d of %s: %w", r.next, out[0].App, err)
		}
		return false, nil
	}
	r.add(atOnce, bytes, out[0].InsertedAt)
	return true, nil
}
