package discover

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ehc/state"
)

// store has the queries of apps, none of them looked up.
func store(t *testing.T, apps ...state.App) *state.Store {
	t.Helper()
	s, err := state.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetSpec(state.Spec{Apps: apps}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOnceRecordsEveryOutcome(t *testing.T) {
	script := newScript()
	script.fails["bad"] = errors.New("REFUSED from [fdaa::3]:53")
	apps := []state.App{app("one", "good", "bad"), app("two", "good")}
	s := store(t, apps...)
	p := newPoller(&diary{broken: errors.New("not the Poller's")}, script.find)
	if err := p.Once(t.Context(), s, apps, every); err != nil {
		t.Fatal(err)
	}
	expect(t, "queries", s.Snapshot().Queries(), []state.Query{
		{App: "one", Name: "bad", Err: "REFUSED from [fdaa::3]:53"},
		{App: "one", Name: "good", Known: true},
		{App: "two", Name: "good", Known: true},
	})
}

func TestOnceThatRunsOutOfTimeRecordsThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := newScript()
		script.hold["slow"] = make(chan struct{})
		apps := []state.App{app("one", "slow", "good")}
		s := store(t, apps...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := newPoller(nil, script.find).Once(ctx, s, apps, every); err != nil {
			t.Fatal(err)
		}
		expect(t, "queries", s.Snapshot().Queries(), []state.Query{
			{App: "one", Name: "good", Known: true}, {App: "one", Name: "slow", Err: "no outcome in time"},
		})
	})
}

func TestOnceThatIsCalledOffRecordsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := newScript()
		script.hold["slow"] = make(chan struct{})
		apps := []state.App{app("one", "slow")}
		s := store(t, apps...)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := newPoller(nil, script.find).Once(ctx, s, apps, every); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want %v", err, context.Canceled)
		}
		expect(t, "queries", s.Snapshot().Queries(), []state.Query{{App: "one", Name: "slow"}})
	})
}
