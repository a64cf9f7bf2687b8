package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// volume mounts a volume of its own, with room for size bytes. Only root can:
// others skip the test, and for root a mount that fails is a failure.
func volume(t *testing.T, size int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small volume that this fills")
	}
	dir := t.TempDir()
	must(t, unix.Mount("ehc-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// stuff fills the volume but for what the store has already, until the returned
// function is called.
func stuff(t *testing.T, dir string) (clear func()) {
	t.Helper()
	f, err := os.CreateTemp(dir, "filler")
	must(t, err)
	path := f.Name()
	must(t, f.Close())
	if err := fill(path, 1<<40); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want a full volume", err)
	}
	return func() { must(t, os.Remove(path)) }
}

// writeUntilFull writes rows until the store refuses one, and returns the keys
// that it took.
func writeUntilFull(t *testing.T, db *DB, prefix string) (took []string) {
	t.Helper()
	for i := range 10_000 {
		key := fmt.Sprintf("%s%05d", prefix, i)
		err := db.Write(context.Background(), put(key, strings.Repeat("x", 10_000)))
		if errors.Is(err, ErrFull) {
			return took
		}
		must(t, err)
		took = append(took, key)
	}
	t.Fatal("never full")
	return nil
}

func TestAFullVolume(t *testing.T) {
	ctx := context.Background()
	dir := volume(t, 40<<20)
	db := openTest(t, dir)
	must(t, db.Write(ctx, put("first", "1")))
	clear := stuff(t, dir)
	took := append(writeUntilFull(t, db, "a"), "first")
	if full, room := IsFull(dir); !full || room >= minRoom {
		t.Errorf("a full volume: %v, with %d bytes", full, room)
	}

	// Every write of a group that cannot be had is told why.
	goOn := stall(t, db)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := db.Write(ctx, put(fmt.Sprintf("never%d", i), strings.Repeat("x", 10_000))); !errors.Is(err, ErrFull) {
				t.Errorf("write on a full volume: %v", err)
			}
		})
	}
	queued(db, 20)
	goOn()
	wg.Wait()

	if got := keys(t, db); len(got) != len(took) {
		t.Errorf("%d rows are there, want the %d that were taken", len(got), len(took))
	}
	// What frees room goes on, on the ballast's, also after a new Open.
	remove := func(key string) func(*Tx) error {
		return func(tx *Tx) error {
			n, err := tx.Exec("DELETE FROM kv WHERE k = ?", key)
			if err == nil && n != 1 {
				err = fmt.Errorf("%s is gone", key)
			}
			return err
		}
	}
	must(t, db.Free(ctx, remove("first")))
	must(t, db.Close())
	db = openTest(t, dir)
	for _, key := range took[:len(took)/2] {
		must(t, db.Free(ctx, remove(key)))
	}
	must(t, db.Ping(ctx)) // it works, and says so: a restart would mend nothing
	if err := db.Write(ctx, put("still", "full")); !errors.Is(err, ErrFull) {
		t.Errorf("write while the ballast is given up: %v", err)
	}
	if full, room := IsFull(dir); !full {
		t.Errorf("while the ballast is given up there are %d bytes, and it is not full", room)
	}

	clear()
	must(t, db.Write(ctx, put("room", "again")))
	if _, err := os.Stat(filepath.Join(dir, "ehc.ballast")); err != nil {
		t.Errorf("the ballast is not there again: %v", err)
	}
	if full, room := IsFull(dir); full {
		t.Errorf("full, with %d bytes", room)
	}
	want := len(took) - 1 - len(took)/2 + 1
	if got := keys(t, db); len(got) != want || db.Lost() != 0 {
		t.Errorf("%d rows, want %d; %d commits lost", len(got), want, db.Lost())
	}
}

func TestAStoreOpensOnAFullVolume(t *testing.T) {
	dir := volume(t, 40<<20)
	db := openTest(t, dir)
	clear := stuff(t, dir)
	took := writeUntilFull(t, db, "a")
	must(t, db.Close())
	rest := stuff(t, dir) // what closing gave back
	db = openTest(t, dir)
	if got := keys(t, db); len(got) != len(took) {
		t.Errorf("%d rows, want %d", len(got), len(took))
	}
	clear()
	rest()
	must(t, db.Write(context.Background(), put("room", "again")))
}

func TestAStoreInMemoryIsFleeting(t *testing.T) {
	if got := openTest(t, volume(t, 40<<20)).Fleeting(); got != "in memory" {
		t.Errorf("got %q", got)
	}
	if got := fleeting("/proc"); got != "" {
		t.Errorf("/proc is said to be %q", got)
	}
}
