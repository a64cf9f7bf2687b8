package controller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
)

func TestAWatchEndsWithTheNextChangeThatItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		w.settle(time.Second)
		within := func(seen api.Moment) (api.Moment, time.Duration) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return w.ctl.Await(ctx, seen), time.Since(began)
		}
		first, took := within(api.Moment{})
		if took > 0 || first.Index == 0 || first.Revision == 0 {
			t.Errorf("without anything seen: %+v after %s", first, took)
		}
		if again, took := within(first); again != first || took != time.Minute {
			t.Errorf("while nothing happens: %+v after %s, first %+v", again, took, first)
		}
		after := func(d time.Duration, happens func()) { time.AfterFunc(d, happens) }

		after(time.Second, func() { w.list("a1@127.0.0.1") })
		listed, took := within(api.Moment{Index: first.Index})
		if took != time.Second || listed.Index == first.Index {
			t.Errorf("a node is listed: %+v after %s", listed, took)
		}
		w.settle(time.Minute)

		// What no reviewed plan depends on moves the revision alone.
		seen, _ := within(api.Moment{})
		after(time.Second, func() {
			if err := w.store.RecordDrainFailed("a", "a1@127.0.0.1", false, "TimedOut", "slow", time.Now()); err != nil {
				t.Error(err)
			}
		})
		if now, took := within(api.Moment{Index: seen.Index}); took != time.Minute || now.Revision == seen.Revision {
			t.Errorf("a drain fails, by index: %+v after %s, seen %+v", now, took, seen)
		}
		if _, took := within(seen); took > 0 {
			t.Errorf("a drain has failed, by revision: after %s", took)
		}

		// What is not in the store does, too.
		seen, _ = within(api.Moment{})
		after(time.Second, func() {
			if _, err := w.ctl.Retry(t.Context(), api.OutboxSelection{All: true}); err != nil {
				t.Error(err)
			}
		})
		if _, took := within(seen); took != time.Second {
			t.Errorf("dead letters are retried: after %s", took)
		}
	})
}
