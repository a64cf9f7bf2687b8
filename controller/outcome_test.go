package controller

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/state"
)

// visit is an event of this id; empty: minted.
func visit(id string) api.Event {
	return api.Event{ID: id, Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/","delta":1}`)}
}

// emitted emits events, waits in this way, and says what became of them, and how long
// it waited by the clock of the bubble.
func (w *world) emitted(wait string, millis int64, events ...api.Event) ([]string, time.Duration) {
	w.t.Helper()
	began := time.Now()
	got, err := w.ctl.Emit(w.t.Context(), api.EmitRequest{Events: events, Wait: wait, WaitMillis: millis})
	if err != nil {
		w.t.Fatal(err)
	}
	all := !slices.ContainsFunc(got.Outcomes, func(o string) bool { return o != api.OutcomeDelivered })
	if got.Delivered != all || len(got.IDs) != len(events) || len(got.Outcomes) != len(events) {
		w.t.Errorf("%+v", got)
	}
	return got.Outcomes, time.Since(began)
}

// expect fails the test unless one event becomes this, within these times.
func (w *world) expect(wait string, millis int64, outcome string, least, most time.Duration) {
	w.t.Helper()
	got, took := w.emitted(wait, millis, visit(""))
	if got[0] != outcome || took < least || took > most {
		w.t.Errorf("wait %q: %s after %s; want %s after %s to %s", wait, got[0], took, outcome, least, most)
	}
}

func TestAnEventIsDeliveredOrBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.expect("", 0, api.OutcomeBuffered, 0, 0)
		w.expect(api.WaitConnected, 0, api.OutcomeBuffered, 0, 0) // no node: at once
		w.expect(api.WaitDelivered, 300, api.OutcomeBuffered, 300*time.Millisecond, 300*time.Millisecond)
		n := w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		w.expect(api.WaitConnected, 0, api.OutcomeDelivered, 0, time.Second)
		w.expect(api.WaitDelivered, 0, api.OutcomeDelivered, 0, time.Second)

		n.Freeze()
		w.expect(api.WaitConnected, 0, api.OutcomeBuffered, time.Second, 5*time.Second) // a drain times out at 5 s, too
		n.Thaw()
		w.settle(5 * time.Minute)
		n.Freeze()
		time.AfterFunc(time.Second, n.Kill)
		w.expect(api.WaitConnected, 60_000, api.OutcomeBuffered, time.Second, 2*time.Second) // the node is lost
		n.Thaw()
		n.Restart()
		w.settle(5 * time.Minute)
		w.expect(api.WaitConnected, 0, api.OutcomeDelivered, 0, time.Second)
	})
}

func TestWhatPilesUpIsBufferedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", func(string) error { return errors.New("no_disk") })
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		w.expect(api.WaitConnected, 0, api.OutcomeBuffered, 0, time.Second) // it is refused
		w.expect(api.WaitConnected, 0, api.OutcomeBuffered, 0, 0)           // those before it were
	})
}

func TestAnEventForSeveralAppsIsAsFarAsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+"peer \"b\" {\n queries = [\"b.internal\"]\n deliver {}\n}\n")
		w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		one := visit("")
		one.App = "a"
		got, _ := w.emitted(api.WaitConnected, 0, one, visit(""), one)
		if !slices.Equal(got, []string{"delivered", "buffered", "delivered"}) {
			t.Errorf("became %q", got)
		}
	})
}

func TestAnIdThatComesAgainIsToldWhatBecameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+"outbox {\n max_age = \"1h\"\n}\n")
		n := w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		w.emitted(api.WaitDelivered, 0, visit("delivered"))
		n.Kill()
		w.settle(time.Second)
		w.emitted("", 0, visit("dead"))
		w.settle(2 * time.Hour)
		w.emitted("", 0, visit("dropped"), visit("waits"))
		events, err := w.ctl.box.List(t.Context(), "a", 0, 10)
		if err != nil || len(events) != 2 {
			t.Fatalf("%d events wait, want two: %v", len(events), err)
		}
		if _, err := w.ctl.box.Drop(t.Context(), "a", events[0].Seq); err != nil {
			t.Fatal(err)
		}
		for _, wait := range []string{"", api.WaitConnected} {
			got, took := w.emitted(wait, 0, visit("delivered"), visit("dead"), visit("waits"))
			if !slices.Equal(got, []string{"delivered", "dead", "buffered"}) || took != 0 {
				t.Errorf("wait %q: became %q after %s", wait, got, took)
			}
		}
		if err := w.ctl.box.Fate(t.Context(), "a", events[0].Seq); err == nil {
			t.Error("a dropped event counts as delivered")
		} else if got, err := outcomeOf(err); got != api.OutcomeDropped || err != nil {
			t.Errorf("a dropped event is %s, %v", got, err)
		}
	})
}

func TestAWaitEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		got, err := w.ctl.Emit(ctx, api.EmitRequest{Events: []api.Event{visit("x")}, Wait: api.WaitDelivered})
		if err != nil || got.Delivered || got.Outcomes[0] != api.OutcomeBuffered {
			t.Errorf("%+v, %v", got, err)
		}
		if len(w.ctl.hopes.of) != 0 {
			t.Errorf("%d waits are left", len(w.ctl.hopes.of))
		}
	})
}

// children is a context that counts those derived from it that have not ended.
type children struct {
	context.Context
	alive *int
}

func (children) Value(any) any { return nil } // so that nothing looks past it

func (c children) AfterFunc(f func()) func() bool {
	*c.alive++
	stop := context.AfterFunc(c.Context, f)
	return func() bool {
		stopped := stop()
		if stopped {
			*c.alive--
		}
		return stopped
	}
}

func TestAWaitWithALimitLeavesNothingAtItsRequest(t *testing.T) {
	within, cancel := context.WithCancel(t.Context())
	defer cancel()
	alive := 0
	for _, limit := range []time.Duration{0, time.Minute} {
		if _, err := (&Controller{}).outcomes(children{within, &alive}, api.WaitDelivered, limit, nil); err != nil || alive != 0 {
			t.Errorf("limit %s: %d contexts are left, %v", limit, alive, err)
		}
	}
}

func TestPromising(t *testing.T) {
	up := func(s *state.Store) { _ = s.RecordUp("a1@h", 1, time.Now()) }
	synced := func(s *state.Store) { _ = s.RecordSynced("a1@h", 1, "25") }
	for name, c := range map[string]struct {
		do   []func(*state.Store)
		want bool
	}{
		"no node":                   {nil, false},
		"a node that is up":         {[]func(*state.Store){up}, true},
		"and synced":                {[]func(*state.Store){up, synced}, true},
		"one that cannot be synced": {[]func(*state.Store){up, func(s *state.Store) { _ = s.RecordResyncing("a1@h", 1) }, func(s *state.Store) { _ = s.RecordSyncFailed("a1@h", 1, "ResyncFailed", "x", time.Now()) }}, false},
		"one that is lost":          {[]func(*state.Store){up, synced, func(s *state.Store) { _ = s.RecordDown("a1@h", "Disconnected", "x", time.Now(), time.Time{}) }}, false},
		"a drain that failed":       {[]func(*state.Store){up, synced, func(s *state.Store) { _ = s.RecordDrainFailed("a", "a1@h", false, "HandlerRefused", "x", time.Now()) }}, false},
		"many events that wait":     {[]func(*state.Store){up, synced, func(s *state.Store) { _ = s.RecordBacklog("a", longQueue+1) }}, false},
		"a suspended app":           {[]func(*state.Store){up, synced, func(s *state.Store) { _ = s.Suspend([]state.Suspension{{App: "a"}}) }}, false},
	} {
		s, err := state.New()
		if err != nil {
			t.Fatal(err)
		}
		spec := state.Spec{Apps: []state.App{{Name: "a", Queries: []state.Lookup{{Text: "static:a1@h", Kind: state.LookupStatic, Target: "a1@h"}}}}}
		if err := s.SetSpec(spec, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.RecordAnswer("a", "static:a1@h", state.Answer{Found: []state.Found{{Node: "a1@h"}}}, time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, do := range c.do {
			do(s)
		}
		if got := promising(s.Snapshot(), "a"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
