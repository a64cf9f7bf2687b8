package controller

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state/disk"
)

func (w *world) dead() []api.Event {
	w.t.Helper()
	o, err := w.ctl.Outbox(w.t.Context(), api.OutboxQuery{Dead: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Events
}

// damage changes the outbox's rows.
func (w *world) damage(statement string) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *disk.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestDeadLettersAreRetriedAndDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refuse := true
		w.peer("a1@127.0.0.1", func(string) error {
			if refuse {
				return errors.New("unknown_event_type")
			}
			return nil
		})
		ids := w.emit(5)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		if d := w.dead(); len(d) != 5 || w.queue().Dead != 5 || w.queue().Pending != 0 {
			t.Fatalf("dead letters: %+v", d)
		}
		w.mu.Lock()
		refuse = false
		w.mu.Unlock()
		ctx := t.Context()
		again := api.EmitRequest{Events: []api.Event{{ID: ids[0], Type: "increment_visit"}}, Wait: "delivered"}
		if got, err := w.ctl.Emit(ctx, again); err != nil || got.Delivered || w.queue().Pending != 0 {
			t.Errorf("an id that is dead, once more: %+v, %v", got, err)
		}
		if n, err := w.ctl.Drop(ctx, api.OutboxSelection{IDs: ids[4:]}); err != nil || n.Events != 1 {
			t.Errorf("drop: %+v, %v", n, err)
		}
		if n, err := w.ctl.Retry(ctx, api.OutboxSelection{App: "a", IDs: []string{ids[2], "nobodys"}}); err != nil || n.Events != 1 {
			t.Errorf("retry: %+v, %v", n, err)
		}
		w.settle(time.Second)
		if n, err := w.ctl.Retry(ctx, api.OutboxSelection{All: true}); err != nil || n.Events != 3 {
			t.Errorf("retry of all: %+v, %v", n, err)
		}
		w.settle(time.Second)
		if diff := cmp.Diff([]string{ids[2], ids[0], ids[1], ids[3]}, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		if got, err := w.ctl.Emit(ctx, again); err != nil || !got.Delivered {
			t.Errorf("an id that was delivered, once more: %+v, %v", got, err)
		}
		w.settle(time.Second)
		if len(w.arrived()) != 4 || w.queue().Dead != 0 {
			t.Errorf("arrived %v, queue %+v", w.arrived(), w.queue())
		}
		var problem *api.Problem
		for _, s := range []api.OutboxSelection{{}, {All: true, IDs: ids}, {Through: new(uint64)}} {
			if _, err := w.ctl.Drop(ctx, s); !errors.As(err, &problem) || problem.Status != 400 {
				t.Errorf("drop %+v: %v", s, err)
			}
		}
	})
}

func TestFullDeadLettersHoldTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+"outbox { max_dead = 2 }")
		w.peer("a1@127.0.0.1", func(string) error { return errors.New("unknown_event_type") })
		w.emit(5)
		w.list("a1@127.0.0.1")
		w.settle(10 * time.Minute)
		if q := w.queue(); q.Pending != 3 || q.Dead != 2 || q.Reason != "DeadLettersFull" {
			t.Errorf("queue = %+v", q)
		}
		if _, err := w.ctl.Drop(t.Context(), api.OutboxSelection{All: true}); err != nil {
			t.Fatal(err)
		}
		w.settle(2 * time.Minute)
		if q := w.queue(); q.Pending != 1 || q.Dead != 2 {
			t.Errorf("queue = %+v", q)
		}
	})
}

func TestOldEventsExpireWithoutAnyConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+`outbox { max_age = "1h" }`)
		ids := w.emit(2)
		w.settle(30 * time.Minute)
		w.emit(1)
		w.settle(29 * time.Minute)
		if q := w.queue(); q.Pending != 3 {
			t.Errorf("after 59 minutes: %+v", q)
		}
		w.settle(2 * time.Minute)
		if q := w.queue(); q.Pending != 1 || q.Dead != 2 {
			t.Errorf("after 61 minutes: %+v", q)
		}
		if d := w.dead(); d[0].ID != ids[0] || d[0].Reason != "Expired" {
			t.Errorf("dead letters: %+v", d)
		}
		if _, err := w.ctl.Retry(t.Context(), api.OutboxSelection{All: true}); err != nil {
			t.Fatal(err)
		}
		w.settle(10 * time.Minute) // as young as new ones
		if q := w.queue(); q.Pending != 3 || q.Dead != 0 {
			t.Errorf("after a retry: %+v", q)
		}
		w.settle(2 * time.Hour)
		if q := w.queue(); q.Pending != 0 || q.Dead != 3 {
			t.Errorf("at last: %+v", q)
		}
	})
}

// TestOldEventsAreDeliveredLateWhereNoLetterFits: the room that there is is used, and
// what does not fit does not stand in the way of the rest.
func TestOldEventsAreDeliveredLateWhereNoLetterFits(t *testing.T) {
	for name, tt := range map[string]struct {
		outbox, damage string
		dead           int
	}{
		"too many letters": {`outbox {
			max_age  = "1h"
			max_dead = 2
		}`, "", 2},
		"a full volume": {`outbox {
			max_age  = "1h"
			remember = 0
		}`, "PRAGMA max_page_count = 1", 0}, // as many as there are
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, worldText+tt.outbox)
				w.peer("a1@127.0.0.1", func(string) error { return nil })
				ids := w.emit(200)
				if tt.damage != "" {
					w.damage(tt.damage)
				}
				w.settle(2 * time.Hour)
				if q := w.queue(); q.Pending != 200-tt.dead || q.Dead != tt.dead {
					t.Errorf("while none is connected: %+v", q)
				}
				w.list("a1@127.0.0.1")
				w.settle(2 * time.Minute)
				if q := w.queue(); q.Pending != 0 || q.Dead != tt.dead {
					t.Errorf("at last: %+v", q)
				}
				if diff := cmp.Diff(ids[tt.dead:], w.arrived()); diff != "" {
					t.Errorf("arrived -want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestDamageIsACondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if c := w.condition("OutboxIntact"); c.Status != "True" {
			t.Errorf("condition = %+v", c)
		}
		w.peer("a1@127.0.0.1", nil)
		w.emit(2)
		w.damage("UPDATE outbox_event SET type = 'x' WHERE seq = 1")
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		if c := w.condition("OutboxIntact"); c.Status != "False" || c.Reason != "Damaged" || !strings.Contains(c.Message, "event 1") {
			t.Errorf("condition = %+v", c)
		}
		if q := w.queue(); q.Reason != "Damaged" || q.Pending != 2 {
			t.Errorf("queue = %+v", q)
		}
		one := uint64(1)
		if n, err := w.ctl.Drop(t.Context(), api.OutboxSelection{App: "a", Through: &one}); err != nil || n.Events != 1 {
			t.Errorf("drop: %+v, %v", n, err)
		}
		w.settle(5 * time.Minute)
		if c := w.condition("OutboxIntact"); c.Status != "True" || len(w.arrived()) != 1 {
			t.Errorf("condition = %+v, arrived %v", c, w.arrived())
		}
	})
}
