package inbox

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

// model is what a box must be like, in memory.
type model struct {
	limits state.InboxSpec
	every  int
	since  int
	events []Event          // remembered, in the order in which they came
	places map[string]Place // forgotten
	counts map[[2]string]int64
}

// handle does what HandleAll should, and says which events are new.
func (m *model) handle(events []Event) (fresh []bool) {
	added := 0
	for _, e := range events {
		known := e.Source != "" && !e.Place.beyond(m.places[e.Source])
		for _, old := range m.events {
			known = known || old.ID == e.ID
		}
		fresh = append(fresh, !known)
		if !known {
			m.events = append(m.events, e)
			m.counts[[2]string{e.Name, e.Key}] += e.Delta
			added++
		}
	}
	if m.since += added; m.since >= m.every {
		m.forget(events[0].At, 2*max(m.every, added))
		m.since = 0
	}
	return fresh
}

func (m *model) forget(now time.Time, most int) {
	for range most {
		if len(m.events) == 0 {
			return
		}
		e := m.events[0]
		if len(m.events) <= m.limits.MaxIDs && !e.At.Before(now.Add(-m.limits.KeepFor)) {
			return
		}
		if e.Source != "" && e.Place.beyond(m.places[e.Source]) {
			m.places[e.Source] = e.Place
		}
		m.events = m.events[1:]
	}
}

func TestABoxIsLikeItsModel(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		dir := rapidDir(t)
		m := &model{
			limits: state.InboxSpec{KeepFor: time.Minute, MaxIDs: 8}, every: rapid.IntRange(1, 4).Draw(t, "every"),
			places: map[string]Place{}, counts: map[[2]string]int64{},
		}
		now := noon
		var db *disk.DB
		var b *Box
		reopen := func(t *rapid.T) {
			if db != nil {
				check(t, db.Close())
			}
			var err error
			db, err = disk.Open(ctx, dir)
			check(t, err)
			b = New(db, m.limits)
			b.every, m.since = m.every, 0
		}
		reopen(t)
		defer func() { db.Close() }()
		sent := []Event{}
		next := map[string]Place{"a": {1, 0}, "b": {1, 0}}
		t.Repeat(map[string]func(*rapid.T){
			"handle": func(t *rapid.T) {
				var call []Event
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					e := Event{
						ID: fmt.Sprint("id", len(sent)), Name: rapid.SampledFrom([]string{"visits", "likes"}).Draw(t, "name"),
						Key: rapid.SampledFrom([]string{"/", "/blog"}).Draw(t, "key"), Delta: rapid.Int64Range(-5, 5).Draw(t, "delta"), At: now,
					}
					if e.Source = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "source"); e.Source != "" {
						p := next[e.Source]
						if p.Seq++; rapid.IntRange(0, 9).Draw(t, "epoch") == 0 {
							p = Place{p.Epoch + 1, 1}
						}
						e.Place, next[e.Source] = p, p
					}
					sent = append(sent, e)
					call = append(call, e)
				}
				compareHandled(t, b, m, call)
			},
			"replay": func(t *rapid.T) {
				if len(sent) == 0 {
					return
				}
				var call []Event
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					e := sent[rapid.IntRange(0, len(sent)-1).Draw(t, "which")]
					e.At = now
					call = append(call, e)
				}
				compareHandled(t, b, m, call)
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "seconds")) * time.Second) },
			"limit": func(t *rapid.T) {
				m.limits.MaxIDs = rapid.IntRange(1, 12).Draw(t, "ids")
				b.SetLimits(m.limits)
			},
			"reopen": func(t *rapid.T) {
				if rapid.IntRange(0, 7).Draw(t, "luck") == 0 { // it takes long
					reopen(t)
				}
			},
			"": func(t *rapid.T) { compareCounts(t, b, m) },
		})
		// Whatever is numbered is known for ever.
		before := maps.Clone(m.counts)
		for _, e := range sent {
			if e.Source != "" {
				e.At = now
				compareHandled(t, b, m, []Event{e})
			}
		}
		if diff := cmp.Diff(before, m.counts); diff != "" {
			t.Fatalf("a replay was counted: %s", diff)
		}
		compareCounts(t, b, m)
	})
}

func compareHandled(t *rapid.T, b *Box, m *model, call []Event) {
	fresh := m.handle(call)
	var want []Counter
	values := map[[2]string]int64{}
	for i, e := range call { // what each counter was before the call
		if fresh[i] {
			values[[2]string{e.Name, e.Key}] -= e.Delta
		}
	}
	for i, e := range call {
		k := [2]string{e.Name, e.Key}
		if fresh[i] {
			values[k] += e.Delta
			want = append(want, Counter{e.Name, e.Key, m.counts[k] + values[k]})
		}
	}
	got, err := b.HandleAll(context.Background(), call)
	check(t, err)
	if diff := cmp.Diff(Result{Handled: len(call), Changed: want}, got); diff != "" {
		t.Fatal(diff)
	}
}

func compareCounts(t *rapid.T, b *Box, m *model) {
	got := map[[2]string]int64{}
	rows, _, err := b.Counts(context.Background(), "", 0)
	check(t, err)
	for _, c := range rows {
		got[[2]string{c.Name, c.Key}] = c.Value
	}
	if diff := cmp.Diff(m.counts, got); diff != "" {
		t.Fatal(diff)
	}
	remembered := 0
	check(t, b.db.View(context.Background(), func(tx *disk.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM inbox_event").Scan(&remembered)
	}))
	if remembered != len(m.events) {
		t.Fatalf("%d ids are remembered, want %d", remembered, len(m.events))
	}
}

func check(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rapidDir is a folder of its own for one run of a property.
func rapidDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "inbox")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, disktest.Ballast(dir))
	return dir
}
