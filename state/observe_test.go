package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnObserverSeesEveryStepInOrder(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecordUp("early@h", 1, t0); err != nil {
		t.Fatal(err)
	}
	var writes []string
	s.Observe(func(steps []Delta) {
		text := ""
		for _, d := range steps {
			text += fmt.Sprintf("%T>%T ", d.Before, d.After)
			if c, ok := d.After.(Conn); ok {
				text += c.Phase.String() + " "
			}
		}
		writes = append(writes, text)
	})
	for _, err := range []error{
		s.RecordUp("stranger@h", 1, t0),
		s.RecordUp("stranger@h", 1, t0), // changes nothing
		s.RecordDown("stranger@h", "Closed", "closed", t0, time.Time{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.RecordConditions([]Conditions{{App: "a", Of: []Condition{{Type: "Connected"}}}}, nil, t0); err != nil {
		t.Fatal(err)
	}
	fork, err := s.Fork()
	if err != nil {
		t.Fatal(err)
	}
	if err := fork.RecordUp("other@h", 1, t0); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"<nil>>state.Conn up ", // was there before
		"<nil>>state.Conn up ",
		"state.Conn>state.Conn down state.Conn><nil> ", // why it is down, though nobody keeps it
	}
	if diff := cmp.Diff(want, writes); diff != "" {
		t.Errorf("writes -want +got:\n%s", diff)
	}
}

func TestChangedIsClosedByTheNextWrite(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	before := s.Snapshot()
	changed := before.Changed()
	select {
	case <-changed:
		t.Fatal("closed before anything has changed")
	default:
	}
	if err := s.RecordBacklog("a", 1); err != nil {
		t.Fatal(err)
	}
	<-changed
	<-before.Changed() // of a snapshot that is old already
	if s.Snapshot().Version() == before.Version() {
		t.Error("the version has not moved")
	}
}
