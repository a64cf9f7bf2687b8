package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"ehc/state/disk"
)

// row is an app's row of counters. The events that wait are those from head up
// to but not including next.
type row struct {
	head, next uint64
	bytes      int64 // of the payloads that wait
	headAt     int64 // inserted_at of the event at head; 0 if none waits
}

func (r row) pending() int { return int(r.next - r.head) }

func (r row) oldest() time.Time {
	if r.pending() == 0 || r.headAt == 0 {
		return time.Time{}
	}
	return time.Unix(0, r.headAt).UTC()
}

// crc is over the length of app (2 bytes), app, head, next, bytes and headAt (8
// bytes each, big-endian).
func (r row) crc(app string) uint32 {
	b := appendWord(make([]byte, 0, 34+len(app)), app)
	for _, v := range []uint64{r.head, r.next, uint64(r.bytes), uint64(r.headAt)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// load reads an app's row, and has the events of the queue written that are not yet;
// known is false for an app that never had an event. A row that is not as written is
// a *DamageError.
func load(tx *disk.Tx, app string) (r row, known bool, err error) {
	t, known, err := peek(tx, app)
	if err != nil || len(t.events) == 0 {
		return t.row, known, err
	}
	if r, err = t.settle(tx, app); err != nil {
		return row{}, false, err
	}
	r.save(tx, app)
	return r, true, nil
}

// peek is load for who does not look at the events.
func peek(tx *disk.Tx, app string) (t tail, known bool, err error) {
	if t, ok := tx.Kept(tailKey(app)); ok {
		return t.(tail), true, nil
	}
	t.row, known, err = readRow(tx, app)
	return t, known, err
}

func readRow(tx *disk.Tx, app string) (r row, known bool, err error) {
	var crc uint32
	err = tx.QueryRow("SELECT head_seq, next_seq, bytes, head_at, crc FROM outbox_app WHERE app = ?", app).
		Scan(&r.head, &r.next, &r.bytes, &r.headAt, &crc)
	if errors.Is(err, disk.ErrNoRow) {
		there, err := hasEvents(tx, app)
		if there {
			err = &DamageError{App: app, What: "are missing"}
		}
		return row{head: 1, next: 1}, there, err
	}
	if errors.Is(err, disk.ErrDamaged) {
		return row{}, true, &DamageError{App: app, What: err.Error()}
	}
	if err != nil {
		return row{}, false, fmt.Errorf("read counters of %s: %w", app, err)
	}
	if crc != r.crc(app) || r.head < 1 || r.head > r.next {
		return row{}, true, &DamageError{App: app, What: "checksum does not match"}
	}
	return r, true, nil
}

// save has an app's row written as the commit ends: see tail.
func (r row) save(tx *disk.Tx, app string) {
	tail{row: r}.save(tx, app)
}

// write writes an app's row, its first or a new state of it.
func (r row) write(tx *disk.Tx, app string) error {
	_, err := tx.Exec(`INSERT INTO outbox_app (app, head_seq, next_seq, bytes, head_at, crc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (app) DO UPDATE SET head_seq = excluded.head_seq, next_seq = excluded.next_seq,
			bytes = excluded.bytes, head_at = excluded.head_at, crc = excluded.crc`,
		app, r.head, r.next, r.bytes, r.headAt, int64(r.crc(app)))
	if err != nil {
		return fmt.Errorf("write counters of %s: %w", app, err)
	}
	return nil
}

// verify compares the row with the events' first and last number, which costs
// the same for any backlog. What lies between is for Head to find.
func (r row) verify(tx *disk.Tx, app string) error {
	var first, last uint64
	err := tx.QueryRow(`SELECT coalesce((SELECT min(seq) FROM outbox_event WHERE app = ?1), 0),
		coalesce((SELECT max(seq) FROM outbox_event WHERE app = ?1), 0)`, app).Scan(&first, &last)
	switch {
	case err != nil:
		return fmt.Errorf("read bounds of %s: %w", app, err)
	case r.pending() == 0 && first == 0:
		return nil
	case r.pending() == 0:
		return &DamageError{App: app, Seq: first, What: "is there, but none should wait"}
	case first > r.head || first == 0:
		return &DamageError{App: app, Seq: r.head, What: "is missing"}
	case first < r.head:
		return &DamageError{App: app, Seq: first, What: "is there, but was delivered"}
	case last < r.next-1:
		return &DamageError{App: app, Seq: last + 1, What: "is missing"}
	case last > r.next-1:
		return &DamageError{App: app, Seq: last, What: "is there, but was never enqueued"}
	}
	return nil
}

func hasEvents(tx *disk.Tx, app string) (bool, error) {
	var one int
	err := tx.QueryRow("SELECT 1 FROM outbox_event WHERE app = ? LIMIT 1", app).Scan(&one)
	if err != nil && !errors.Is(err, disk.ErrNoRow) {
		return false, fmt.Errorf("read events of %s: %w", app, err)
	}
	return err == nil, nil
}

// headAt reads inserted_at of the event seq; 0 if it is missing, which Head
// then reports.
func headAt(tx *disk.Tx, app string, seq uint64) (at int64, err error) {
	err = tx.QueryRow("SELECT inserted_at FROM outbox_event WHERE app = ? AND seq = ?", app, seq).Scan(&at)
	if err != nil && !errors.Is(err, disk.ErrNoRow) {
		return 0, fmt.Errorf("read event %d of %s: %w", seq, app, err)
	}
	return at, nil
}
