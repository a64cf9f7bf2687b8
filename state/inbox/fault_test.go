package inbox

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

var faultLimits = state.InboxSpec{KeepFor: time.Hour, MaxIDs: 12}

func (m *model) clone() *model {
	c := *m
	c.events, c.places, c.counts = slices.Clone(m.events), maps.Clone(m.places), maps.Clone(m.counts)
	return &c
}

// faultCall is the call number i of a story: new events, with and without a place,
// and some that came before.
func faultCall(i int) (call []Event) {
	for j := max(0, 3*i-4); j < 3*i+3; j++ {
		e := visit(fmt.Sprint("e", j), fmt.Sprint("/", j%4), int64(j%5-1))
		if j%2 == 0 {
			e.Source, e.Place = "a", Place{1, uint64(j + 1)}
		}
		call = append(call, e)
	}
	return call
}

// TestEveryFaultAtEveryStep handles events while the files fail: ids and counters
// never part, and what was acknowledged is known.
func TestEveryFaultAtEveryStep(t *testing.T) {
	few := 40
	if testing.Short() {
		few = 10
	}
	disktest.Run(t, few, faultStory)
}

func faultStory(t *testing.T, d *disktest.Disk, dir string) func(*testing.T, string) {
	ctx := context.Background()
	is := &model{limits: faultLimits, every: 1, places: map[string]Place{}, counts: map[[2]string]int64{}}
	var maybe []*model // what failed since the last success may be there after a crash
	for part := range 2 {
		b, db := openUnder(t, d, dir)
		if b == nil {
			break
		}
		for i := 6 * part; i < 6*part+6 && !d.Dead(); i++ {
			next := is.clone()
			next.handle(faultCall(i))
			if _, err := b.HandleAll(ctx, faultCall(i)); err != nil {
				maybe = append(maybe, next)
			} else {
				is, maybe = next, nil
			}
			d.Heal()
			if want, got := picture(is), boxPicture(t, b); !reflect.DeepEqual(want, got) && !d.Dead() {
				t.Fatalf("after call %d, while it goes on: %s", i, cmp.Diff(want, got))
			}
		}
		if err := db.Close(); err != nil {
			t.Logf("close: %v", err)
		}
	}
	return func(t *testing.T, left string) { checkLeft(t, left, is, maybe) }
}

// openUnder opens a box in dir, at the second try if a fault befalls the first; nil
// if the disk is dead.
func openUnder(t *testing.T, d *disktest.Disk, dir string) (*Box, *disk.DB) {
	t.Helper()
	try := func() (*disk.DB, error) {
		db, err := disk.Open(context.Background(), dir)
		if err != nil {
			return nil, err
		}
		err = db.Write(context.Background(), func(tx *disk.Tx) error {
			_, err := tx.Exec("PRAGMA wal_autocheckpoint = 12")
			return err
		})
		if err != nil {
			db.Close()
		}
		return db, err
	}
	db, err := try()
	if err != nil && !d.Dead() {
		d.Heal()
		db, err = try()
	}
	if err != nil {
		if !d.Dead() {
			t.Fatal(err)
		}
		return nil, nil
	}
	return quick(New(db, faultLimits)), db
}

// picture is what a model holds: counters and ids.
func picture(m *model) [2]map[string]int64 {
	counts, known := map[string]int64{}, map[string]int64{}
	for k, n := range m.counts {
		counts[k[1]] = n
	}
	for _, e := range m.events {
		known[e.ID] = int64(e.Place.Seq)
	}
	return [2]map[string]int64{counts, known}
}

// boxPicture is picture of a box.
func boxPicture(t *testing.T, b *Box) [2]map[string]int64 {
	t.Helper()
	counts, known := map[string]int64{}, map[string]int64{}
	rows, _, err := b.Counts(context.Background(), "visits", 0)
	must(t, err)
	for _, c := range rows {
		counts[c.Key] = c.Value
	}
	must(t, b.db.View(context.Background(), func(tx *disk.Tx) error {
		for raw, err := range tx.Query(selectEvent + "ORDER BY n") {
			if err != nil {
				return err
			}
			_, e, err := scanEvent(raw)
			if err != nil {
				return err
			}
			known[e.ID] = int64(e.Place.Seq)
		}
		return nil
	}))
	return [2]map[string]int64{counts, known}
}

// checkLeft opens what a crash has left, and sends all that was ever sent again.
func checkLeft(t *testing.T, left string, is *model, maybe []*model) {
	t.Helper()
	b, close := openTest(t, left, faultLimits)
	defer close()
	if n := b.db.Lost(); n != 0 {
		t.Errorf("%d commits are said to be lost", n)
	}
	got := boxPicture(t, b)
	for _, m := range append([]*model{is}, maybe...) {
		if !reflect.DeepEqual(picture(m), got) {
			continue
		}
		quick(b)
		m = m.clone()
		for i := range 12 {
			for _, e := range faultCall(i) {
				if e.Source == "" && i < 8 {
					continue // its id is forgotten, and nothing else tells
				}
				want := m.handle([]Event{e})[0]
				if fresh := handleTest(t, b, e); fresh != want {
					t.Errorf("%s, sent again, is new: %v, want %v", e.ID, fresh, want)
				}
			}
		}
		return
	}
	t.Errorf("a crash has left what was never there:\n%s", cmp.Diff(picture(is), got))
}
