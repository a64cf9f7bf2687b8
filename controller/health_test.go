package controller

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLoopIsAliveWhileItWorksOrWaitsRightly(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct {
		did   func(*heart)
		after time.Duration
		alive bool
	}{
		"it has not begun":             {func(*heart) {}, 0, false},
		"it waits for a change":        {func(h *heart) { h.rest(start, time.Time{}) }, 100 * time.Hour, true},
		"it waits for its wake time":   {func(h *heart) { h.rest(start, start.Add(time.Hour)) }, time.Hour, true},
		"it has slept over it":         {func(h *heart) { h.rest(start, start.Add(time.Hour)) }, time.Hour + time.Minute, false},
		"it is in a pass":              {func(h *heart) { h.beat(start) }, 30 * time.Second, true},
		"the slots are taken by calls": {func(h *heart) { h.beat(start) }, stuckAfter + 10*time.Second, true},
		"it is stuck in a pass":        {func(h *heart) { h.beat(start) }, 10 * time.Minute, false},
		"a pass after a wait gets on":  {func(h *heart) { h.rest(start, start); h.beat(start.Add(10 * time.Minute)) }, 10 * time.Minute, true},
	} {
		h := &heart{}
		c.did(h)
		if err := h.alive(start.Add(c.after), 10*time.Second); (err == nil) != c.alive {
			t.Errorf("%s: %v, want alive %v", name, err, c.alive)
		}
	}
}

func TestAControllerIsReadyOnceEveryQueryHasAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		synctest.Wait()
		if err := w.ctl.Alive(t.Context()); err != nil {
			t.Errorf("alive: %v", err)
		}
		if err := w.ctl.LookedUp(t.Context()); err == nil {
			t.Error("ready before the first lookup")
		}
		for _, q := range w.store.Snapshot().Queries() {
			if err := w.store.RecordFailure(q.App, q.Name, "SERVFAIL"); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.ctl.LookedUp(t.Context()); err != nil {
			t.Errorf("a lookup that failed is an outcome: %v", err)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if err := w.ctl.Alive(t.Context()); err != nil {
			t.Errorf("after a day: %v", err)
		}
	})
}
