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

// tally is how many dead letters there are, and the bytes of their payloads. An
// app's is counted when the Box is opened and kept from then on: there may be too
// many to count them while others wait to write.
type tally struct {
	letters int
	bytes   int64
}

// tallyKey is what an app's tally is kept under.
type tallyKey string

// tally is that of an app's letters.
func (b *Box) tally(tx *disk.Tx, app string) tally {
	if t, ok := tx.Kept(tallyKey(app)); ok {
		return t.(tally)
	}
	return b.found[app]
}

// add changes an app's tally for those that follow, and says how it is then.
func (b *Box) add(tx *disk.Tx, app string, more tally) deadState {
	t := b.tally(tx, app)
	t.letters, t.bytes = t.letters+more.letters, t.bytes+more.bytes
	tx.Keep(tallyKey(app), t, nil)
	return b.stampDead(t.letters)
}

// Letters of the app ?1.
const (
	allLetters   = " FROM outbox_dead WHERE app = ?1"
	firstLetters = allLetters + " AND seq IN (SELECT seq FROM outbox_dead WHERE app = ?1 ORDER BY seq LIMIT ?2)"
	someLetters  = allLetters + " AND id IN (SELECT value FROM json_each(?2))"
)

// count makes a tally of some letters of an app.
func count(tx *disk.Tx, which, app string, args ...any) (t tally, err error) {
	err = tx.QueryRow("SELECT count(*), coalesce(sum(length(payload)), 0)"+which, append([]any{app}, args...)...).
		Scan(&t.letters, &t.bytes)
	if err != nil {
		return tally{}, fmt.Errorf("count dead letters of %s: %w", app, err)
	}
	return t, nil
}
