package inbox

import (
	"fmt"
	"testing"
	"time"

	"ehc/state"
)

// quick forgets at every call.
func quick(b *Box) *Box {
	b.every = 1
	return b
}

func TestIDsAreForgottenByCount(t *testing.T) {
	b, _ := openTest(t, t.TempDir(), state.InboxSpec{KeepFor: time.Hour, MaxIDs: 5})
	quick(b)
	for i := range 20 {
		handleTest(t, b, visit(fmt.Sprint("e", i), "/blog", 1))
		if n := ids(t, b); n != min(i+1, 5) {
			t.Fatalf("%d ids after %d events", n, i+1)
		}
	}
	for i := 15; i < 20; i++ {
		if handleTest(t, b, visit(fmt.Sprint("e", i), "/blog", 1)) {
			t.Errorf("event %d is forgotten", i)
		}
	}
	if !handleTest(t, b, visit("e14", "/blog", 1)) {
		t.Error("event 14 is still remembered, though its source does not number it")
	}
}

func TestIDsAreForgottenByAge(t *testing.T) {
	b, _ := openTest(t, t.TempDir(), state.InboxSpec{KeepFor: time.Hour, MaxIDs: 100})
	quick(b)
	for i := range 10 {
		e := visit(fmt.Sprint("e", i), "/blog", 1)
		e.At = noon.Add(time.Duration(i) * 20 * time.Minute)
		handleTest(t, b, e)
		if n := ids(t, b); n != min(i+1, 4) { // those of 0, 20, 40 and 60 minutes ago
			t.Fatalf("%d ids after %d events", n, i+1)
		}
	}
}

func TestASmallerLimitIsReachedInSteps(t *testing.T) {
	b := newTest(t)
	for i := range 20 {
		handleTest(t, b, visit(fmt.Sprint("e", i), "/blog", 1))
	}
	quick(b).SetLimits(state.InboxSpec{KeepFor: time.Hour, MaxIDs: 3})
	for i, want := range []int{19, 18, 17} {
		handleTest(t, b, visit(fmt.Sprint("f", i), "/blog", 1))
		if n := ids(t, b); n != want {
			t.Errorf("%d ids after %d new events, want %d", n, i+1, want)
		}
	}
	for i := range 30 {
		handleTest(t, b, visit(fmt.Sprint("g", i), "/blog", 1))
	}
	if n := ids(t, b); n != 3 {
		t.Errorf("%d ids in the end", n)
	}
}

func TestAReplayOfWhatIsForgottenIsKnownByItsPlace(t *testing.T) {
	dir := t.TempDir()
	few := state.InboxSpec{KeepFor: time.Hour, MaxIDs: 3}
	b, close := openTest(t, dir, few)
	quick(b)
	for seq := range uint64(10) {
		handleTest(t, b, placed(seq+1))
	}
	close()
	b, _ = openTest(t, dir, few)
	quick(b)
	for seq := range uint64(10) {
		if handleTest(t, b, placed(seq+1)) {
			t.Errorf("event %d is counted again", seq+1)
		}
	}
	late := placed(8)
	late.ID = "never came before"
	if !handleTest(t, b, late) {
		t.Error("an event that comes late, but not later than all that is remembered, is taken for a replay")
	}
	again := placed(1)
	again.ID, again.Place.Epoch = "of a new epoch", 2
	other := placed(1)
	other.ID, other.Source = "of another source", "b"
	for _, e := range []Event{again, other} {
		if !handleTest(t, b, e) {
			t.Errorf("event %s is taken for a replay", e.ID)
		}
	}
	if n := count(t, b, "visits", "/blog"); n != 13 {
		t.Errorf("%d visits, want 13", n)
	}
}

func TestANumberThatIsForgottenNeverGoesBack(t *testing.T) {
	b, _ := openTest(t, t.TempDir(), state.InboxSpec{KeepFor: time.Hour, MaxIDs: 1})
	quick(b)
	for _, seq := range []uint64{5, 9, 7, 8, 6, 10} {
		handleTest(t, b, placed(seq))
	}
	for _, seq := range []uint64{5, 6, 7, 8, 9, 10} {
		if handleTest(t, b, placed(seq)) {
			t.Errorf("event %d is counted again", seq)
		}
	}
}
