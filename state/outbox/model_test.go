package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/state"
	"ehc/state/disk"
)

// model is what a box must be like: queues in memory.
type model struct {
	limits state.OutboxSpec
	queues map[string][]Event
	dead   map[string][]Letter
	done   map[string]map[string]uint64 // ids of what was delivered, with their numbers
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
		if seq := m.past(e.App, e.ID); seq > 0 {
			e.Seq = seq
			out = append(out, e)
			continue
		}
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

// past is the number of an event that waits no longer and whose id is known; 0 if
// there is none.
func (m *model) past(app, id string) uint64 {
	for _, l := range m.dead[app] {
		if l.ID == id {
			return l.Seq
		}
	}
	return m.done[app][id]
}

// deliver strikes the first n events out.
func (m *model) deliver(app string, n int) {
	q := m.queues[app]
	if n == 0 {
		return
	}
	if m.done[app] == nil {
		m.done[app] = map[string]uint64{}
	}
	for _, e := range q[:n] {
		m.done[app][e.ID] = e.Seq
	}
	maps.DeleteFunc(m.done[app], func(_ string, seq uint64) bool { return seq+uint64(m.limits.Remember) <= q[n-1].Seq })
	m.queues[app] = q[n:]
}

// bury moves the first event to the dead letters, and says whether there is room.
func (m *model) bury(app, reason, why string, tries int, now time.Time) (full bool) {
	var bytes int64
	e := m.queues[app][0]
	for _, l := range m.dead[app] {
		bytes += int64(len(l.Payload))
	}
	if len(m.dead[app]) >= m.limits.MaxDead || bytes+int64(len(e.Payload)) > m.limits.MaxBytes {
		return true
	}
	m.queues[app] = m.queues[app][1:]
	e.Tries, e.LastError = e.Tries+tries, why
	m.dead[app] = append(m.dead[app][:len(m.dead[app]):len(m.dead[app])], Letter{Event: e, Reason: reason, DiedAt: now.Round(0).UTC()})
	return false
}

// take removes the letters of these ids, or all, and returns them.
func (m *model) take(app string, ids []string) (taken []Letter) {
	var left []Letter
	for _, l := range m.dead[app] {
		if ids == nil || slices.Contains(ids, l.ID) {
			taken = append(taken, l)
		} else {
			left = append(left, l)
		}
	}
	m.dead[app] = left
	return taken
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
			limits: state.OutboxSpec{MaxEvents: 12, MaxBytes: 200, MaxDead: 4, Remember: 5},
			queues: map[string][]Event{}, next: map[string]uint64{}, told: map[string]int{},
			dead: map[string][]Letter{}, done: map[string]map[string]uint64{},
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
				m.deliver(app, n)
			},
			"bury": func(t *rapid.T) {
				app := apps.Draw(t, "app")
				if len(m.queues[app]) == 0 {
					return
				}
				now, seq := time.Now(), m.queues[app][0].Seq
				if err := b.Bury(ctx, app, seq+1, "HandlerRefused", "no", now); !errors.Is(err, ErrNotWaiting) {
					t.Fatalf("bury of the second: %v", err)
				}
				err := b.Bury(ctx, app, seq, "HandlerRefused", "no", now)
				var refused *DeadFullError
				if full := m.bury(app, "HandlerRefused", "no", 1, now); full != errors.As(err, &refused) || !full && err != nil {
					t.Fatalf("got %v, want full: %v", err, full)
				}
			},
			"expire": func(t *rapid.T) {
				app := apps.Draw(t, "app")
				limits := m.limits
				limits.MaxAge = time.Hour
				b.SetLimits(limits)
				defer b.SetLimits(m.limits)
				if n, next, err := b.Expire(ctx, app, time.Now()); n != 0 || err != nil || next.IsZero() != (len(m.queues[app]) == 0) {
					t.Fatalf("expired %d young events, next at %v, %v", n, next, err)
				}
				if rapid.IntRange(0, 3).Draw(t, "luck") > 0 {
					return
				}
				now := time.Now().Add(2 * time.Hour)
				trial := model{limits: m.limits, queues: maps.Clone(m.queues), dead: maps.Clone(m.dead)}
				want, full := 0, false
				for len(trial.queues[app]) > 0 && !full {
					why := trial.queues[app][0].LastError
					if why == "" {
						why = "waited for too long"
					}
					if full = trial.bury(app, Expired, why, 0, now); !full {
						want++
					}
				}
				n, next, err := b.Expire(ctx, app, now)
				var refused *DeadFullError
				if full != errors.As(err, &refused) || n != want || !full && (err != nil || !next.IsZero()) {
					t.Fatalf("expired %d, next at %v, %v; want %d, full: %v", n, next, err, want, full)
				}
				m.queues, m.dead = trial.queues, trial.dead
			},
			"retry": func(t *rapid.T) {
				app, ids := apps.Draw(t, "app"), drawIDs(t)
				before := m.dead[app]
				var events []Event
				for _, l := range m.take(app, ids) {
					l.Tries, l.LastError = 0, ""
					events = append(events, l.Event)
				}
				want, full := m.enqueue(events)
				n, err := b.Retry(ctx, app, ids, time.Now())
				var refused *FullError
				if full != errors.As(err, &refused) || !full && err != nil {
					t.Fatalf("got %v, want full: %v", err, full)
				}
				if !full && n != len(want) {
					t.Fatalf("retried %d, want %d", n, len(want))
				}
				if full {
					m.dead[app] = before
				}
			},
			"drop dead": func(t *rapid.T) {
				app, ids := apps.Draw(t, "app"), drawIDs(t)
				n, err := b.DropDead(ctx, app, ids)
				check(t, err)
				if want := len(m.take(app, ids)); n != want {
					t.Fatalf("dropped %d, want %d", n, want)
				}
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

// drawIDs draws some ids, or nil for all.
func drawIDs(t *rapid.T) []string {
	if rapid.IntRange(0, 3).Draw(t, "all") == 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 30), func(n int) string { return fmt.Sprint("id", n) }), 1, 8).Draw(t, "ids")
}

// compare looks at the box: at one app's queue, and at all of what Stats has.
func compare(t *rapid.T, b *Box, m *model, app string) {
	q := m.queues[app]
	n := rapid.IntRange(1, 15).Draw(t, "head")
	got, err := b.Head(context.Background(), app, 0, n)
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
		s := Stat{App: app, Pending: len(q), Dead: len(m.dead[app]), Bytes: m.bytes(app)}
		if len(q) > 0 {
			s.Oldest = q[0].InsertedAt
		}
		stats = append(stats, s)
	}
	if diff := cmp.Diff(stats, b.Stats()); diff != "" {
		t.Fatal(diff)
	}
}

// compareAll looks at every event, and counts the letters.
func compareAll(t *rapid.T, b *Box, m *model) {
	all, dead := []Event{}, []Letter{}
	for _, app := range slices.Sorted(maps.Keys(m.next)) {
		all, dead = append(all, m.queues[app]...), append(dead, m.dead[app]...)
	}
	letters, err := b.Dead(context.Background(), "", 0, 0)
	check(t, err)
	if diff := cmp.Diff(dead, append([]Letter{}, letters...)); diff != "" {
		t.Fatal(diff)
	}
	check(t, b.db.Write(context.Background(), func(tx *disk.Tx) error {
		for app := range m.next {
			want, err := count(tx, allLetters, app)
			if got := b.tally(tx, app); err != nil || got != want {
				return fmt.Errorf("%s has %+v letters, of which %+v are known: %w", app, want, got, err)
			}
		}
		return nil
	}))
	got, err := b.List(context.Background(), "", 0, 0)
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
