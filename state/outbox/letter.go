package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"ehc/state/disk"
)

// Expired is the Reason of a letter that waited longer than MaxAge.
const Expired = "Expired"

// Letter is a dead letter: an event that was taken out of its queue undelivered
// and is kept. Its Seq is the number that it had in the queue, its Tries and
// LastError are those of the delivery.
type Letter struct {
	Event
	Reason string    // a stable word, such as HandlerRefused
	DiedAt time.Time // UTC
}

// crc is the checksum of the letter's row: that of the event, continued over
// died_at (8 bytes, nanoseconds since 1970, big-endian) and reason.
func (l Letter) crc() uint32 {
	b := binary.BigEndian.AppendUint64(nil, uint64(l.DiedAt.UnixNano()))
	return crc32.Update(l.Event.crc(), crc32.MakeTable(crc32.Castagnoli), append(b, l.Reason...))
}

const selectLetter = `SELECT seq, id, type, payload, inserted_at, crc, tries, last_error, reason, died_at FROM outbox_dead `

// letter reads a letter of an app from a row, or reports it if its checksum does
// not match.
func letter(app string, raw disk.Row) (Letter, error) {
	l := Letter{Event: Event{App: app}}
	var at, died int64
	var crc uint32
	var payload []byte
	err := raw.Scan(&l.Seq, &l.ID, &l.Type, &payload, &at, &crc, &l.Tries, &l.LastError, &l.Reason, &died)
	if errors.Is(err, disk.ErrDamaged) {
		return Letter{}, &DamageError{App: app, Seq: l.Seq, Dead: true, What: err.Error()}
	}
	if err != nil {
		return Letter{}, fmt.Errorf("read dead letters of %s: %w", app, err)
	}
	l.Payload, l.InsertedAt, l.DiedAt = payload, time.Unix(0, at).UTC(), time.Unix(0, died).UTC()
	if l.crc() != crc {
		return Letter{}, &DamageError{App: app, Seq: l.Seq, Dead: true, What: "checksum does not match"}
	}
	return l, nil
}

func (l Letter) insert(tx *disk.Tx) error {
	_, err := tx.Exec(`INSERT INTO outbox_dead (app, seq, id, type, payload, inserted_at, tries, last_error, reason, died_at, crc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.App, l.Seq, l.ID, l.Type, []byte(l.Payload), l.InsertedAt.UnixNano(), l.Tries, l.LastError, l.Reason,
		l.DiedAt.UnixNano(), int64(l.crc()))
	if err != nil {
		return fmt.Errorf("insert dead letter %d of %s: %w", l.Seq, l.App, err)
	}
	return nil
}

// letters is how many dead letters an app has, and the bytes of their payloads.
func letters(tx *disk.Tx, app string) (n int, bytes int64, err error) {
	err = tx.QueryRow("SELECT count(*), coalesce(sum(length(payload)), 0) FROM outbox_dead WHERE app = ?", app).Scan(&n, &bytes)
	if err != nil {
		return 0, 0, fmt.Errorf("count dead letters of %s: %w", app, err)
	}
	return n, bytes, nil
}
