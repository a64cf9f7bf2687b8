package disk

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/state/disk/disktest"
)

// contents are what a store holds: a table of keys and the lengths of their values.
type contents map[string]int

// told is what the calls of a story have said.
type told struct {
	is    contents   // what every later look must find
	maybe []contents // or one of these after a crash: what failed since the last success would have made
}

// tell notes the outcome of a change.
func (s *told) tell(change func(contents), err error) {
	next := maps.Clone(s.is)
	change(next)
	if err != nil {
		s.maybe = append(s.maybe, next)
		return
	}
	s.is, s.maybe = next, nil
}

// rows reads the store, or says why it cannot.
func rows(db *DB) (contents, error) {
	found := contents{}
	err := db.View(context.Background(), func(tx *Tx) error {
		for row, err := range tx.Query("SELECT k, length(v) FROM kv") {
			var k string
			var n int
			if err == nil {
				err = row.Scan(&k, &n)
			}
			if err != nil {
				return err
			}
			found[k] = n
		}
		return nil
	})
	return found, err
}

// TestEveryFaultAtEveryStep writes, deletes, gives room back and opens the store
// again while its files fail.
func TestEveryFaultAtEveryStep(t *testing.T) {
	few := 60
	if testing.Short() {
		few = 15
	}
	disktest.Run(t, few, faultStory)
}

func faultStory(t *testing.T, d *disktest.Disk, dir string) func(*testing.T, string) {
	ctx := context.Background()
	s := told{is: contents{}}
	for part := range 2 {
		db := openUnder(t, d, dir)
		if db == nil {
			break
		}
		// Copied back often, and short at once.
		small := db.Write(ctx, func(tx *Tx) error {
			db.committer.spare = 4
			_, err := tx.Exec("PRAGMA wal_autocheckpoint = 12")
			return err
		})
		for i := 0; i < 9 && small == nil && !d.Dead(); i++ {
			key, size := fmt.Sprint(part, "-", i), 100+i%5*3000
			err := db.Write(ctx, put(key, strings.Repeat("x", size)))
			s.tell(func(c contents) { c[key] = size }, err)
			if i%3 == 2 {
				key := fmt.Sprint(part, "-", i-2)
				err := db.Free(ctx, func(tx *Tx) error {
					_, err := tx.Exec("DELETE FROM kv WHERE k <= ?", key)
					return err
				})
				s.tell(func(c contents) { maps.DeleteFunc(c, func(k string, _ int) bool { return k <= key }) }, err)
			}
			d.Heal()
			if got, err := rows(db); !d.Dead() && err == nil {
				if diff := cmp.Diff(s.is, got); diff != "" {
					t.Fatalf("while it goes on: %s", diff)
				}
			}
		}
		if err := db.Close(); err != nil {
			t.Logf("close: %v", err)
		}
	}
	return func(t *testing.T, left string) { s.check(t, left) }
}

// openUnder opens the store in dir, at the second try if a fault befalls the first;
// nil if it is dead.
func openUnder(t *testing.T, d *disktest.Disk, dir string) *DB {
	t.Helper()
	db, err := open(context.Background(), dir, testSteps())
	if err != nil && !d.Dead() {
		d.Heal()
		db, err = open(context.Background(), dir, testSteps())
	}
	if err != nil {
		if !d.Dead() {
			t.Fatal(err)
		}
		return nil
	}
	return db
}

// check opens what a crash has left.
func (s told) check(t *testing.T, left string) {
	t.Helper()
	db := openTest(t, left)
	defer db.Close()
	got, err := rows(db)
	must(t, err)
	may := append([]contents{s.is}, s.maybe...)
	for _, c := range may {
		if maps.Equal(c, got) {
			if db.Lost() != 0 {
				t.Errorf("%d commits are said to be lost, and none is", db.Lost())
			}
			must(t, db.Write(context.Background(), put("goes on", "1")))
			return
		}
	}
	t.Errorf("a crash has left what was never there:\n%s", cmp.Diff(s.is, got))
}
