package state

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a store with 10,000 nodes of 50 apps, all listed and up.
func crowd(b *testing.B) *Store {
	b.Helper()
	s, err := New()
	if err != nil {
		b.Fatal(err)
	}
	var spec Spec
	for i := range 50 {
		spec.Apps = append(spec.Apps, App{Name: fmt.Sprintf("app%02d", i), Queries: []Lookup{{Text: "q"}}})
	}
	if err := s.SetSpec(spec, t0); err != nil {
		b.Fatal(err)
	}
	for i, a := range spec.Apps {
		if err := s.RecordAnswer(a.Name, "q", crowdAnswer(i), t0); err != nil {
			b.Fatal(err)
		}
		for _, f := range crowdAnswer(i).Found {
			if err := s.RecordUp(f.Node, 1, t0); err != nil {
				b.Fatal(err)
			}
		}
	}
	return s
}

func crowdAnswer(app int) Answer {
	var a Answer
	for i := range 200 {
		a.Found = append(a.Found, Found{Node: Node(fmt.Sprintf("app%02d-%03d@fdaa:0:1::%x:%x", app, i, app, i))})
	}
	return a
}

func BenchmarkSnapshot(b *testing.B) {
	s := crowd(b)
	for b.Loop() {
		_ = s.Snapshot().Index()
	}
}

func BenchmarkRead10000(b *testing.B) {
	s := crowd(b)
	for b.Loop() {
		snap := s.Snapshot()
		_, _ = snap.Desired(), snap.Live()
	}
}

func BenchmarkRecordUpDown(b *testing.B) {
	s := crowd(b)
	n := crowdAnswer(7).Found[7].Node
	for b.Loop() {
		if s.RecordDown(n, "Silent", "peer fell silent", t0, time.Time{}) != nil || s.RecordUp(n, 1, t0) != nil {
			b.Fatal("not recorded")
		}
	}
}

func BenchmarkRecordSameAnswer200(b *testing.B) {
	s, a := crowd(b), crowdAnswer(7)
	for b.Loop() {
		if err := s.RecordAnswer("app07", "q", a, t0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecordNewAnswer200(b *testing.B) {
	s := crowd(b)
	here, gone := crowdAnswer(7), Answer{Found: crowdAnswer(7).Found[:1]}
	at := t0
	for b.Loop() {
		at = at.Add(time.Second)
		if s.RecordAnswer("app07", "q", gone, at) != nil || s.RecordAnswer("app07", "q", here, at) != nil {
			b.Fatal("not recorded")
		}
	}
}
