package controller

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/state/outbox"
)

// TestADialThatDoesNotEndIsDialling, and one that has not begun is not.
func TestADialThatDoesNotEndIsDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.ctl.Suspend(t.Context(), api.SuspendRequest{App: "a"}); err != nil {
			t.Fatal(err)
		}
		p := w.peer("a1@127.0.0.1", nil)
		p.Freeze()
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		if c := w.nodeCondition("Connected"); c.Reason != "NotDialled" {
			t.Errorf("before the first dial: %+v", c)
		}
		if _, err := w.ctl.Resume(t.Context(), api.SuspendRequest{App: "a"}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		if c := w.nodeCondition("Connected"); c.Reason != "Dialling" {
			t.Errorf("during the first dial: %+v", c)
		}
	})
}

func TestEventsWithoutANodeWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.emit(1)
		w.settle(time.Second)
		if c := w.condition("Drained"); c.Status != "False" || c.Reason != "Waiting" {
			t.Errorf("condition = %+v", c)
		}
	})
}

// TestWhatIsNoTermIsBuried puts an event into the queue that emit would refuse.
func TestWhatIsNoTermIsBuried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		key := strings.Repeat("k", 256) // longer than an atom may be
		_, err := w.ctl.box.Enqueue(t.Context(), outbox.New{
			App: "a", ID: "long", Type: "t", Payload: []byte(`{"` + key + `":1}`), InsertedAt: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids := w.emit(1)
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		if d := w.dead(); len(d) != 1 || d[0].ID != "long" || d[0].Reason != "NotATerm" {
			t.Errorf("dead letters: %+v", d)
		}
		if got := w.arrived(); len(got) != 1 || got[0] != ids[0] {
			t.Errorf("arrived %v, want %v", got, ids)
		}
	})
}

// TestAStoreThatFailsIsTriedAgain takes the outbox's table away, and gives it back.
func TestAStoreThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refuse := true
		w.peer("a1@127.0.0.1", func(string) error {
			if refuse {
				return errors.New("not yet")
			}
			return nil
		})
		w.emit(2)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		w.mu.Lock()
		refuse = false
		w.mu.Unlock()
		w.damage("ALTER TABLE outbox_event RENAME TO away")
		w.settle(time.Minute)
		if q := w.queue(); q.Reason != "OutboxFailed" {
			t.Errorf("queue = %+v", q)
		}
		w.damage("ALTER TABLE away RENAME TO outbox_event")
		w.settle(5 * time.Minute)
		if q := w.queue(); q.Pending != 0 || len(w.arrived()) != 2 {
			t.Errorf("queue = %+v, arrived %v", q, w.arrived())
		}
	})
}
