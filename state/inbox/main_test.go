package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimEnv); dir != "" {
		victim(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	roomy = state.InboxSpec{KeepFor: time.Hour, MaxIDs: 1_000_000}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// openTest opens a box over the store in dir; close closes the store.
func openTest(t testing.TB, dir string, limits state.InboxSpec) (b *Box, close func()) {
	t.Helper()
	db, err := disk.Open(context.Background(), dir)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return New(db, limits), func() { must(t, db.Close()) }
}

func newTest(t testing.TB) *Box {
	dir := t.TempDir()
	must(t, disktest.Ballast(dir))
	b, _ := openTest(t, dir, roomy)
	return b
}

// visit is an event without a place.
func visit(id, page string, n int64) Event {
	return Event{ID: id, Name: "visits", Key: page, Delta: n, At: noon}
}

// placed is visit number seq of source "a", whose id it makes.
func placed(seq uint64) Event {
	e := visit(fmt.Sprint("a", seq), "/blog", 1)
	e.Source, e.Place = "a", Place{Epoch: 1, Seq: seq}
	return e
}

func handleTest(t testing.TB, b *Box, e Event) (fresh bool) {
	t.Helper()
	fresh, err := b.Handle(context.Background(), e)
	must(t, err)
	return fresh
}

func count(t testing.TB, b *Box, name, key string) int64 {
	t.Helper()
	n, err := b.Count(context.Background(), name, key)
	must(t, err)
	return n
}

// ids is how many are remembered.
func ids(t testing.TB, b *Box) (n int) {
	t.Helper()
	must(t, b.db.View(context.Background(), func(tx *disk.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM inbox_event").Scan(&n)
	}))
	return n
}

// harm changes a row behind the box's back.
func harm(t testing.TB, b *Box, statement string) {
	t.Helper()
	must(t, b.db.Write(context.Background(), func(tx *disk.Tx) error {
		n, err := tx.Exec(statement)
		if err == nil && n == 0 {
			err = errors.New("did no harm")
		}
		return err
	}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
