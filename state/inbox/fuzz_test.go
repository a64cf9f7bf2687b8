package inbox

import (
	"context"
	"errors"
	"testing"

	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

// FuzzRows puts rows that nobody has written so into the store: whatever they hold,
// they are as their checksums say, or what needs them says that they are damaged.
func FuzzRows(f *testing.F) {
	ctx, dir := context.Background(), f.TempDir()
	must(f, disktest.Ballast(dir))
	b, _ := openTest(f, dir, roomy)
	f.Add("visits", "/", int64(1), int64(2), "id", "a", int64(1), int64(1), int64(5))
	f.Add("", "\xff", int64(-1), int64(-1), "", "", int64(-1), int64(-1), int64(-1))
	f.Fuzz(func(t *testing.T, name, key string, value, crc int64, id, source string, epoch, seq, at int64) {
		must(t, b.db.Write(ctx, func(tx *disk.Tx) error {
			for _, s := range []string{"DELETE FROM inbox_count", "DELETE FROM inbox_event", "DELETE FROM inbox_source"} {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			_, err := tx.Exec("INSERT INTO inbox_count (name, key, value, crc) VALUES (?, ?, ?, ?)", name, key, value, crc)
			if err == nil {
				_, err = tx.Exec("INSERT INTO inbox_event (id, source, epoch, seq, at, crc) VALUES (?, ?, ?, ?, ?, ?)", id, source, epoch, seq, at, crc)
			}
			if err == nil {
				_, err = tx.Exec("INSERT INTO inbox_source (source, epoch, seq, crc) VALUES (?, ?, ?, ?)", source, epoch, seq, crc)
			}
			return err
		}))
		var d *DamageError
		counts, _, err := b.Counts(ctx, "", 0)
		if err != nil && !errors.As(err, &d) || err == nil && (counterRow{Counter: counts[0]}).crc() != uint32(crc) {
			t.Errorf("counters %+v, %v", counts, err)
		}
		e := visit(id, key, 1)
		e.Name, e.Source, e.Place = name, source, Place{1, 1}
		_, err = b.Handle(ctx, e)
		if err != nil && !refused(err) {
			t.Error(err)
		}
	})
}
