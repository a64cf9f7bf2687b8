package state

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAConditionKeepsWhenItBegan(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	record := func(at time.Time, of ...Condition) []Change {
		t.Helper()
		changes, err := s.RecordConditions([]Conditions{{App: "a", Of: of}, {Node: "n@h", Of: of}}, nil, at)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	down := Condition{Type: "Connected", Status: "False", Reason: "Unreachable", Message: "one"}
	if got := record(t0, down); len(got) != 2 || got[0].App != "a" || got[1].Node != "n@h" || got[0].From != (Condition{}) {
		t.Errorf("the first record changes %+v", got)
	}
	reworded := down
	reworded.Message = "two"
	if got := record(t0.Add(time.Second), reworded); len(got) != 0 {
		t.Errorf("other words change %+v", got)
	}
	refused := down
	refused.Reason = "CookieRejected"
	if got := record(t0.Add(2*time.Second), refused); len(got) != 2 || got[0].To.Reason != "CookieRejected" {
		t.Errorf("another reason changes %+v", got)
	}
	refused.Since = t0
	if got := s.Snapshot().Conditions("", "n@h"); !cmp.Equal(got, []Condition{refused}) {
		t.Errorf("a status that stays has begun anew: %+v", got)
	}
	up := Condition{Type: "Connected", Status: "True", Reason: "Connected"}
	record(t0.Add(3*time.Second), up)
	up.Since = t0.Add(3 * time.Second)
	if got := s.Snapshot().Conditions("a", ""); !cmp.Equal(got, []Condition{up}) {
		t.Errorf("another status: %+v", got)
	}
	known := Condition{Type: "Connected", Status: "False", Reason: "Silent", Since: t0.Add(time.Minute)}
	record(t0.Add(time.Hour), known)
	if got := s.Snapshot().Conditions("a", ""); !cmp.Equal(got, []Condition{known}) {
		t.Errorf("one that tells since when: %+v", got)
	}
	if _, err := s.RecordConditions(nil, []Conditions{{App: "a"}, {App: "nobody"}}, t0); err != nil {
		t.Fatal(err)
	}
	if got := s.Snapshot().Conditions("a", ""); got != nil {
		t.Errorf("of an app that is gone: %+v", got)
	}
	if got := s.Snapshot().Conditions("", "n@h"); len(got) != 1 {
		t.Errorf("of a node that is not: %+v", got)
	}
}

func TestConditionsWakeNobody(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	before := s.Snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan error, 1)
	go func() { woken <- before.Wait(ctx, time.Time{}) }()
	if _, err := s.RecordConditions([]Conditions{{App: "a", Of: []Condition{{Type: "Connected"}}}}, nil, t0); err != nil {
		t.Fatal(err)
	}
	if s.Snapshot().moment() != before.moment() {
		t.Error("the index or the version has moved")
	}
	cancel()
	if err := <-woken; err == nil {
		t.Error("a waiter was woken")
	}
}

func TestAnotherFileInForceMovesTheIndex(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	set := func(generation uint64) uint64 {
		t.Helper()
		if err := s.SetSpec(Spec{Generation: generation}, t0); err != nil {
			t.Fatal(err)
		}
		return s.Snapshot().Index()
	}
	first := set(1)
	if again := set(1); again != first {
		t.Errorf("the same file moves the index from %d to %d", first, again)
	}
	if next := set(2); next == first || s.Snapshot().Generation() != 2 {
		t.Errorf("another file: index %d after %d, generation %d", next, first, s.Snapshot().Generation())
	}
}
