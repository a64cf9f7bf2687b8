package disk

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sizesOf is how much room the store and its log take, in bytes.
func sizesOf(t *testing.T, dir string) (store, log int64) {
	t.Helper()
	for name, n := range map[string]*int64{"ehc.db": &store, "ehc.db-wal": &log} {
		fi, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		*n = fi.Size()
	}
	return store, log
}

func TestRoomThatIsFreeGoesBackToTheVolume(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openTest(t, dir)
	must(t, db.Write(ctx, put("first", "1")))
	value := strings.Repeat("x", 4000)
	const rows = 4000
	must(t, db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO kv SELECT 'k' || i, ? FROM n`, rows, []byte(value))
		return err
	}))
	must(t, db.Write(ctx, put("last", "1"))) // and the log is copied back
	before, _ := sizesOf(t, dir)
	if before < rows*4000 {
		t.Fatalf("the store has %d bytes, for %d of rows", before, rows*4000)
	}
	must(t, db.Free(ctx, func(tx *Tx) error {
		_, err := tx.Exec("DELETE FROM kv WHERE k LIKE 'k%'")
		return err
	}))
	// It goes on while nobody writes. What is left: some room for what comes next.
	most := int64(2 * shrinkFrom * 4096)
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		store, log := sizesOf(t, dir)
		if store <= most && log <= ballastSize {
			t.Logf("from %d bytes to %d, and %d of log", before, store, log)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store still has %d bytes, its log %d; before the rows went it had %d", store, log, before)
		}
	}
	if got := keys(t, db); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
	must(t, db.Write(ctx, put("next", "1")))
	must(t, db.Close())
	if got := keys(t, openTest(t, dir)); len(got) != 3 {
		t.Errorf("opened again: %v", got)
	}
}
