package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAStoreIsItsOwnersOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	db := openTest(t, dir)
	must(t, db.Write(context.Background(), put("a", "1")))
	for name, want := range map[string]os.FileMode{
		".": 0o700 | os.ModeDir, "ehc.db": 0o600, "ehc.db-wal": 0o600, "ehc.db-shm": 0o600,
		"ehc.lock": 0o600, "ehc.mark": 0o600, "ehc.ballast": 0o600,
	} {
		fi, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if fi.Mode() != want {
			t.Errorf("%s is %v, want %v", name, fi.Mode(), want)
		}
	}
}

func TestAStoreIsOpenedOnce(t *testing.T) {
	dir := t.TempDir()
	pid, stop := holder(t, dir)
	_, err := Open(context.Background(), dir)
	var held *HeldError
	if !errors.As(err, &held) || !errors.Is(err, ErrHeld) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	want := HeldError{Path: filepath.Join(dir, "ehc.lock"), PID: pid}
	if diff := cmp.Diff(want, *held); diff != "" {
		t.Error(diff)
	}
	stop()
	db := openTest(t, dir)
	if _, err := Open(context.Background(), dir); !errors.Is(err, ErrHeld) {
		t.Errorf("a second Open in one process: %v, want ErrHeld", err)
	}
	must(t, db.Close())
	must(t, db.Close())
	openTest(t, dir)
}

func TestAFileThatIsNotThisVersionsIsRefused(t *testing.T) {
	ctx := context.Background()
	edit := func(pragma string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			c, err := connect(filepath.Join(dir, "ehc.db"))
			must(t, err)
			must(t, c.script(ctx, pragma))
			must(t, c.close())
		}
	}
	for name, c := range map[string]struct {
		spoil func(*testing.T, string)
		want  error
	}{
		"a store that a newer ehc has migrated": {edit("PRAGMA user_version = 99"), ErrNewer},
		"another program's database":            {edit("PRAGMA application_id = 77"), ErrDamaged},
		"a database of nobody":                  {edit("PRAGMA application_id = 0"), ErrDamaged},
		"a file that is no database": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "ehc.db"), []byte(strings.Repeat("no database ", 999)), 0o600))
		}, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, openTest(t, dir).Close())
			c.spoil(t, dir)
			before, err := os.ReadFile(filepath.Join(dir, "ehc.db"))
			must(t, err)
			if _, err := Open(ctx, dir); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			after, err := os.ReadFile(filepath.Join(dir, "ehc.db"))
			must(t, err)
			if string(before) != string(after) {
				t.Error("the refused file was changed")
			}
		})
	}
}

func TestMigrationGoesOnWhereItStopped(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	broken := append(testSteps(), "CREATE TABLE second (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1)")
	if _, err := open(ctx, dir, broken); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("migrate to step %d", len(broken))) {
		t.Fatalf("got %v, want the step that is broken", err)
	}
	// Nothing of the broken step is there, and the steps before it are.
	whole := append(testSteps(), "CREATE TABLE second (a INTEGER) STRICT; INSERT INTO second VALUES (7)")
	db, err := open(ctx, dir, whole)
	must(t, err)
	defer db.Close()
	must(t, db.Write(ctx, put("a", "1")))
	var a int
	must(t, db.View(ctx, func(tx *Tx) error { return tx.QueryRow("SELECT a FROM second").Scan(&a) }))
	if a != 7 {
		t.Errorf("got %d, want 7", a)
	}
}

func TestCommitsThatTheLogLostAreCounted(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openTest(t, dir)
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		must(t, db.Write(ctx, put(k, strings.Repeat(k, 100))))
	}
	whole := openTest(t, snapshot(t, dir))
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f"}, keys(t, whole)); diff != "" || whole.Lost() != 0 {
		t.Errorf("a killed store lost %d commits: %s", whole.Lost(), diff)
	}
	spoilt := snapshot(t, dir)
	wal := filepath.Join(spoilt, "ehc.db-wal")
	text, err := os.ReadFile(wal)
	must(t, err)
	at := strings.LastIndex(string(text), "dddd")
	text[at] ^= 1
	must(t, os.WriteFile(wal, text, 0o600))
	short := openTest(t, spoilt)
	there := keys(t, short)
	if len(there) == 6 || short.Lost() == 0 || int(short.Lost()) != 6-len(there) {
		t.Errorf("%v is there and %d commits are said to be lost", there, short.Lost())
	}
	// A new commit ends the report.
	must(t, short.Write(ctx, put("g", "7")))
	must(t, short.Close())
	if lost := openTest(t, spoilt).Lost(); lost != 0 {
		t.Errorf("opened again, %d commits are said to be lost", lost)
	}
}

func TestATornMarkSaysNothing(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir)
	must(t, db.Write(context.Background(), put("a", "1")))
	must(t, db.Close())
	must(t, os.WriteFile(filepath.Join(dir, "ehc.mark"), []byte{9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3}, 0o600))
	if lost := openTest(t, dir).Lost(); lost != 0 {
		t.Errorf("%d commits are said to be lost", lost)
	}
}

func TestAReplicatorMayComeFirst(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "ehc.db")
	must(t, os.WriteFile(path, nil, 0o600))
	c, err := connect(path)
	must(t, err)
	mode, err := c.pragma(ctx, "journal_mode(WAL)")
	if err != nil || mode != "wal" {
		t.Fatal(mode, err)
	}
	must(t, c.script(ctx, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)"))
	must(t, c.script(ctx, "CREATE TABLE _litestream_lock (id INTEGER)"))
	db := openTest(t, dir)
	must(t, db.Write(ctx, put("a", "1")))
	if db.committer.spare != shrinkFrom {
		t.Error("the file cannot be made shorter")
	}
	must(t, db.Close())
	must(t, c.close())
	if diff := cmp.Diff([]string{"a"}, keys(t, openTest(t, dir))); diff != "" {
		t.Error(diff)
	}
}
