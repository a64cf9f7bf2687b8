package outbox

import (
	"context"
	"errors"
	"testing"

	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

// FuzzRows puts rows that nobody has written so behind a sound event: whatever they
// hold, each read gives what a checksum stands for, or says that it is damaged.
func FuzzRows(f *testing.F) {
	ctx, dir := context.Background(), f.TempDir()
	must(f, disktest.Ballast(dir))
	b, _ := openTest(f, dir, roomy)
	sound := enqueue(f, b, "a", 1)[0]
	f.Add(int64(2), "id", "t", []byte("{}"), int64(1), int64(0), int64(0), "", int64(3))
	f.Add(int64(1<<62), "", "\xff", []byte(nil), int64(-1), int64(-1), int64(-1), "x", int64(0))
	f.Fuzz(func(t *testing.T, seq int64, id, kind string, payload []byte, at, crc, tries int64, why string, next int64) {
		must(t, b.db.Write(ctx, func(tx *disk.Tx) error {
			if _, err := tx.Exec("DELETE FROM outbox_event WHERE seq != 1"); err != nil {
				return err
			}
			if _, err := tx.Exec("DELETE FROM outbox_dead"); err != nil {
				return err
			}
			if payload == nil {
				payload = []byte{}
			}
			_, err := tx.Exec(`INSERT OR IGNORE INTO outbox_event (app, seq, id, type, payload, inserted_at, crc, tries, last_error)
				VALUES ('a', ?, ?, ?, ?, ?, ?, ?, ?)`, seq, id, kind, payload, at, crc, tries, why)
			if err != nil {
				return err
			}
			_, err = tx.Exec(`INSERT INTO outbox_dead (app, seq, id, type, payload, inserted_at, tries, last_error, reason, died_at, crc)
				VALUES ('a', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, seq, id, kind, payload, at, tries, why, kind, at, crc)
			if err != nil {
				return err
			}
			r := row{head: 1, next: uint64(max(next, 2)), headAt: sound.InsertedAt.UnixNano(), bytes: int64(len(sound.Payload))}
			return r.write(tx, "a")
		}))
		var d *DamageError
		events, err := b.List(ctx, "a", 0, 10)
		if err != nil && !errors.As(err, &d) {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Seq != uint64(i+1) || e.ID != sound.ID && uint32(crc) != e.crc() {
				t.Errorf("event %d is %+v", i, e)
			}
		}
		letters, err := b.Dead(ctx, "a", 0, 10)
		if err != nil && !errors.As(err, &d) || len(letters) > 0 && letters[0].crc() != uint32(crc) {
			t.Errorf("letters %+v, %v", letters, err)
		}
	})
}
