package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatANodeShowsOfPubSubLeavesWithItsConnection(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	shown := PubSubPeer{Node: "a@h", Scope: true, Pools: []PubSubPool{{"A", 2}, {"C", 1}}, Others: []string{"B"}}
	record := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	known := func(want bool) {
		t.Helper()
		if got, ok := s.Snapshot().PubSubOf("a@h"); ok != want || want && !cmp.Equal(got, shown) {
			t.Errorf("known: %v, %+v", ok, got)
		}
	}
	record(s.RecordPubSub(shown)) // of a node that is not up
	known(false)
	record(s.RecordUp("a@h", 1, t0))
	index := s.Snapshot().Index()
	record(s.RecordPubSub(shown))
	known(true)
	if now := s.Snapshot().Index(); now != index {
		t.Errorf("no reviewed plan depends on it, and the index went from %d to %d", index, now)
	}
	for server, want := range map[string]int{"A": 2, "B": 0, "C": 1, "D": 0} {
		if got := shown.Pool(server); got != want {
			t.Errorf("the pool of %s is %d, want %d", server, got, want)
		}
	}
	record(s.RecordUp("a@h", 2, t0)) // another incarnation
	known(false)
	record(s.RecordPubSub(shown))
	record(s.RecordDown("a@h", "Silent", "", t0, t0))
	known(false)
}
