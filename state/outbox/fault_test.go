package outbox

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

var (
	faultLimits = state.OutboxSpec{MaxEvents: 100, MaxBytes: 1 << 20, MaxDead: 100, MaxAge: time.Hour, Remember: 5}
	faultTime   = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
)

func (m *model) clone() *model {
	c := *m
	c.queues, c.dead, c.next = maps.Clone(m.queues), maps.Clone(m.dead), maps.Clone(m.next)
	c.done = map[string]map[string]uint64{}
	for app, ids := range m.done {
		c.done[app] = maps.Clone(ids)
	}
	return &c
}

// deed is one call: on a box, and the same on a model.
type deed struct {
	name string
	do   func(context.Context, *Box) error
	to   func(*model)
}

// deeds are everything that a box is asked to write. Each works on what those
// before have left, whether they had an effect or not.
func deeds(part int) []deed {
	event := func(app string, i, size int) New {
		return New{
			App: app, ID: fmt.Sprint(part, "-", i), Type: "t", InsertedAt: faultTime,
			Payload: []byte(`{"x":"` + strings.Repeat("x", size) + `"}`),
		}
	}
	enqueue := func(events ...New) deed {
		return deed{"enqueue", func(ctx context.Context, b *Box) error {
			_, err := b.Enqueue(ctx, events...)
			return err
		}, func(m *model) {
			var all []Event
			for _, n := range events {
				all = append(all, Event{App: n.App, ID: n.ID, Type: n.Type, Payload: n.Payload, InsertedAt: n.InsertedAt})
			}
			m.enqueue(all)
		}}
	}
	delivered := func(app string, n int) deed {
		return deed{"delivered", func(ctx context.Context, b *Box) error {
			events, err := b.Head(ctx, app, 0, n)
			if err == nil && len(events) > 0 {
				err = b.Delivered(ctx, app, events[len(events)-1].Seq)
			}
			return err
		}, func(m *model) { m.deliver(app, min(n, len(m.queues[app]))) }}
	}
	bury := func(app string) deed {
		return deed{"bury", func(ctx context.Context, b *Box) error {
			events, err := b.Head(ctx, app, 0, 1)
			if err == nil && len(events) > 0 {
				err = b.Bury(ctx, app, events[0].Seq, "HandlerRefused", "no", faultTime)
			}
			return err
		}, func(m *model) {
			if len(m.queues[app]) > 0 {
				m.bury(app, "HandlerRefused", "no", 1, faultTime)
			}
		}}
	}
	failed := func(app string) deed {
		return deed{"failed", func(ctx context.Context, b *Box) error {
			events, err := b.Head(ctx, app, 0, 1)
			if err == nil && len(events) > 0 {
				err = b.Failed(ctx, app, events[0].Seq, "busy")
			}
			return err
		}, func(m *model) {
			if len(m.queues[app]) > 0 {
				q := slices.Clone(m.queues[app])
				q[0].Tries, q[0].LastError = q[0].Tries+1, "busy"
				m.queues[app] = q
			}
		}}
	}
	retry := deed{"retry", func(ctx context.Context, b *Box) error {
		_, err := b.Retry(ctx, "a", nil, faultTime)
		return err
	}, func(m *model) {
		var events []Event
		for _, l := range m.take("a", nil) {
			l.Tries, l.LastError = 0, ""
			events = append(events, l.Event)
		}
		m.enqueue(events)
	}}
	dropDead := deed{"drop dead", func(ctx context.Context, b *Box) error {
		_, err := b.DropDead(ctx, "a", nil)
		return err
	}, func(m *model) { m.take("a", nil) }}
	drop := deed{"drop", func(ctx context.Context, b *Box) error {
		events, err := b.Head(ctx, "b", 0, 1)
		if err == nil && len(events) > 0 {
			_, err = b.Drop(ctx, "b", events[0].Seq)
		}
		return err
	}, func(m *model) { m.queues["b"] = m.queues["b"][min(1, len(m.queues["b"])):] }}
	expire := deed{"expire", func(ctx context.Context, b *Box) error {
		_, _, err := b.Expire(ctx, "b", time.Now().Add(2*time.Hour))
		return err
	}, func(m *model) {
		for len(m.queues["b"]) > 0 {
			why := m.queues["b"][0].LastError
			if why == "" {
				why = "waited for too long"
			}
			m.bury("b", Expired, why, 0, time.Time{}) // of the time a test knows nothing
		}
	}}
	return []deed{
		enqueue(event("a", 0, 10), event("b", 1, 3000), event("a", 2, 9000)), failed("a"), delivered("a", 1),
		enqueue(event("a", 3, 10), event("a", 4, 10), event("b", 5, 10), event("b", 6, 6000)), bury("a"),
		enqueue(event("a", 0, 1), event("a", 2, 1), event("a", 4, 1), event("a", 7, 1)), // three ids that are known
		retry, drop, bury("a"), bury("a"), dropDead, enqueue(event("a", 8, 100)), expire, delivered("a", 3),
	}
}

// TestEveryFaultAtEveryStep does everything that a box is asked to write while the
// files fail: what was acknowledged is there, what was struck out does not come
// back, and the order holds.
func TestEveryFaultAtEveryStep(t *testing.T) {
	few := 40
	if testing.Short() {
		few = 10
	}
	disktest.Run(t, few, faultStory)
}

func faultStory(t *testing.T, d *disktest.Disk, dir string) func(*testing.T, string) {
	ctx := context.Background()
	is := &model{
		limits: faultLimits, queues: map[string][]Event{}, next: map[string]uint64{},
		dead: map[string][]Letter{}, done: map[string]map[string]uint64{},
	}
	var maybe []*model // what failed since the last success may be there after a crash
	for part := range 2 {
		b, db := openUnder(t, d, dir)
		if b == nil {
			break
		}
		for _, deed := range deeds(part) {
			if d.Dead() {
				break
			}
			next := is.clone()
			deed.to(next)
			if err := deed.do(ctx, b); err != nil {
				maybe = append(maybe, next)
			} else {
				is, maybe = next, nil
			}
			d.Heal()
			if want, got := picture(is), boxPicture(t, b); !reflect.DeepEqual(want, got) && !d.Dead() {
				t.Fatalf("after %s, while it goes on: %s", deed.name, cmp.Diff(want, got))
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
	try := func() (*Box, *disk.DB, error) {
		db, err := disk.Open(context.Background(), dir)
		if err != nil {
			return nil, nil, err
		}
		err = db.Write(context.Background(), func(tx *disk.Tx) error {
			_, err := tx.Exec("PRAGMA wal_autocheckpoint = 12")
			return err
		})
		b, berr := Open(context.Background(), db, faultLimits)
		if err != nil || berr != nil {
			db.Close()
			return nil, nil, fmt.Errorf("%w, %w", err, berr)
		}
		return b, db, nil
	}
	b, db, err := try()
	if err != nil && !d.Dead() {
		d.Heal()
		b, db, err = try()
	}
	if err != nil && !d.Dead() {
		t.Fatal(err)
	}
	return b, db
}

// picture is what a model has, without the times of death.
func picture(m *model) map[string]any {
	p := map[string]any{}
	for app := range m.next {
		p[app+" waits"] = append([]Event{}, m.queues[app]...)
		dead := []Letter{}
		for _, l := range m.dead[app] {
			l.DiedAt = time.Time{}
			dead = append(dead, l)
		}
		p[app+" dead"] = dead
		p[app+" stat"] = Stat{App: app, Pending: len(m.queues[app]), Dead: len(dead), Bytes: m.bytes(app)}
	}
	return p
}

// boxPicture is picture of a box; nil if it cannot be read.
func boxPicture(t *testing.T, b *Box) map[string]any {
	t.Helper()
	p := map[string]any{}
	for _, s := range b.Stats() {
		events, err := b.List(context.Background(), s.App, 0, 0)
		letters, lerr := b.Dead(context.Background(), s.App, 0, 0)
		if err != nil || lerr != nil {
			t.Fatalf("%v, %v", err, lerr)
		}
		for i := range letters {
			letters[i].DiedAt = time.Time{}
		}
		if s.Damage != nil {
			t.Fatal(s.Damage)
		}
		s.Oldest = time.Time{}
		p[s.App+" waits"], p[s.App+" dead"], p[s.App+" stat"] = append([]Event{}, events...), append([]Letter{}, letters...), s
	}
	return p
}

// checkLeft opens what a crash has left.
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
		for app, ids := range m.done { // what was delivered stays known
			for id, seq := range ids {
				out, err := b.Enqueue(context.Background(), New{App: app, ID: id, Type: "t", Payload: []byte("{}")})
				if err != nil || out[0].Seq != seq {
					t.Errorf("%s of %s, delivered as %d, is %+v, %v", id, app, seq, out, err)
				}
			}
		}
		return
	}
	t.Errorf("a crash has left what was never there:\n%s", cmp.Diff(picture(is), got))
}
