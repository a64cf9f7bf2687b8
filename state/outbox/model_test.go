package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/state"
	"ehc/state/disk"
)

// model is what a box must be like: queues in memory.
type model struct {
	limits state.OutboxSpec
	queues map[string][]Event
	next   map[string]uint64
	told   map[string]int // by the hook
}

func (m *model) bytes(app string) (n int64) {
	for _, e := range m.queues[app] {
		n += int64(len(e.Payload))
	}
	return n
}

// enqueue does what Enqueue should, and says whether it should be refused.
func (m *model) enqueue(events []Event) (out []Event, full bool) {
	queues, next := map[string][]Event{}, map[string]uint64{}
	for app, q := range m.queues {
		queues[app] = q
	}
	for app, n := range m.next {
		next[app] = n
	}
	trial := model{limits: m.limits, queues: queues, next: next}
	for _, e := range events {
		if old := find(trial.queues[e.App], e.ID); old != nil {
			out = append(out, *old)
			continue
		}
		if len(trial.queues[e.App]) >= m.limits.MaxEvents || trial.bytes(e.App)+int64(len(e.Payload)) > m.limits.MaxBytes {
			return nil, true
		}
		trial.next[e.App]++
		e.Seq = trial.next[e.App]
		trial.queues[e.App] = append(trial.queues[e.App][:len(trial.queues[e.App]):len(trial.queues[e.App])], e)
		out = append(out, e)
	}
	m.queues, m.next = queues, next
	return out, false
}

func find(q []Event, id string) *Event {
	for i := range q {
		if q[i].ID == id {
			return &q[i]
		}
	}
	return nil
}

func TestABoxIsLikeItsModel(t *testing.T) {
	ctx := context.Background()
	apps := rapid.SampledFrom([]string{"a", "b", "c"})
	rapid.Check(t, func(t *rapid.T) {
		dir := rapidDir(t)
		m := &model{
			limits: state.OutboxSpec{MaxEvents: 12, MaxBytes: 200},
			queues: map[string][]Event{}, next: map[string]uint64{}, told: map[string]int{},
		}
		var db *disk.DB
		var b *Box
		reopen := func(t *rapid.T) {
			if db != nil {
				check(t, db.Close())
			}
			var err error
			db, err = disk.Open(ctx, dir)
			check(t, err)
			b, err = Open(ctx, db, m.limits)
			check(t, err)
			b.OnChange(func(app string, pending int) { m.told[app] = pending })
		}
		reopen(t)
		defer func() { db.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": func(t *rapid.T) {
				var call []New
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					n := visit(apps.Draw(t, "app"), rapid.IntRange(0, 99999).Draw(t, "delta"))
					n.ID = fmt.Sprint("id", rapid.IntRange(0, 30).Draw(t, "id"))
					call = append(call, n)
				}
				out, err := b.Enqueue(ctx, call...)
				events := make([]Event, len(call))
				for i, n := range call {
					events[i] = Event{App: n.App, ID: n.ID, Type: n.Type, Payload: n.Payload, InsertedAt: out[i].InsertedAt}
				}
				want, full := m.enqueue(events)
				var refused *FullError
				if full != errors.As(err, &refused) || !full && err != nil {
					t.Fatalf("got %v, want full: %v", err, full)
				}
				if diff := cmp.Diff(want, out); !full && diff != "" {
					t.Fatal(diff)
				}
			},
			"delivered": func(t *rapid.T) {
				app := apps.Draw(t, "app")
				q := m.queues[app]
				n := rapid.IntRange(0, len(q)).Draw(t, "through")
				check(t, b.Delivered(ctx, app, m.next[app]-uint64(len(q)-n)))
				m.queues[app] = q[n:]
			},
			"drop": func(t *rapid.T) {
				app := apps.Draw(t, "app")
				q := m.queues[app]
				if m.next[app] == 0 {
					return
				}
				n := rapid.IntRange(0, len(q)).Draw(t, "through")
				dropped, err := b.Drop(ctx, app, m.next[app]-uint64(len(q)-n))
				check(t, err)
				if dropped != n {
					t.Fatalf("dropped %d, want %d", dropped, n)
				}
				m.queues[app] = q[n:]
			},
			"failed": func(t *rapid.T) {
				app := apps.Draw(t, "app")
				if len(m.queues[app]) == 0 {
					return
				}
				q := append([]Event{}, m.queues[app]...)
				e := &q[rapid.IntRange(0, len(q)-1).Draw(t, "which")]
				check(t, b.Failed(ctx, app, e.Seq, "busy"))
				e.Tries, e.LastError = e.Tries+1, "busy"
				m.queues[app] = q
			},
			"reopen": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "luck") == 0 { // it takes long
					reopen(t)
				}
				compareAll(t, b, m)
			},
			"": func(t *rapid.T) { compare(t, b, m, apps.Draw(t, "app")) },
		})
		compareAll(t, b, m)
	})
}

// compare looks at the box: at one app's queue, and at all of what Stats has.
func compare(t *rapid.T, b *Box, m *model, app string) {
	q := m.queues[app]
	n := rapid.IntRange(1, 15).Draw(t, "head")
	got, err := b.Head(context.Background(), app, n)
	check(t, err)
	if diff := cmp.Diff(append([]Event{}, q[:min(n, len(q))]...), append([]Event{}, got...)); diff != "" {
		t.Fatal(diff)
	}
	if step(m.told[app]) != step(len(q)) {
		t.Fatalf("%s: the hook was told of %d, but %d wait", app, m.told[app], len(q))
	}
	stats := []Stat{}
	for _, app := range slices.Sorted(maps.Keys(m.next)) {
		q := m.queues[app]
		s := Stat{App: app, Pending: len(q), Bytes: m.bytes(app)}
		if len(q) > 0 {
			s.Oldest = q[0].InsertedAt
		}
		stats = append(stats, s)
	}
	if diff := cmp.Diff(stats, b.Stats()); diff != "" {
		t.Fatal(diff)
	}
}

// compareAll looks at every event.
func compareAll(t *rapid.T, b *Box, m *model) {
	all := []Event{}
	for _, app := range slices.Sorted(maps.Keys(m.next)) {
		all = append(all, m.queues[app]...)
	}
	got, err := b.List(context.Background(), "", 0)
	check(t, err)
	if diff := cmp.Diff(all, append([]Event{}, got...)); diff != "" {
		t.Fatal(diff)
	}
}

func check(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
