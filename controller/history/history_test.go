package history

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC)

func all(Entry) bool { return true }

func texts(v View) []string {
	var out []string
	for _, e := range v.Entries {
		out = append(out, fmt.Sprintf("%s×%d", e.Node, e.Count))
	}
	return out
}

func TestARepeatMovesToTheEndAndCounts(t *testing.T) {
	l := New(10, t0)
	for i, n := range []string{"a", "b", "a", "c", "a"} {
		l.Add(Entry{Kind: DialFailed, Node: n, At: t0.Add(time.Duration(i) * time.Second)})
	}
	v := l.After(0, 10, all)
	if diff := cmp.Diff([]string{"b×1", "c×1", "a×3"}, texts(v)); diff != "" {
		t.Errorf("entries -want +got:\n%s", diff)
	}
	a := v.Entries[2]
	if !a.FirstAt.Equal(t0) || !a.At.Equal(t0.Add(4*time.Second)) || a.ID != v.Last {
		t.Errorf("entry = %+v", a)
	}
	l.Add(Entry{Kind: DialFailed, Node: "a", Reason: "another", At: t0})
	if got := texts(l.After(v.Last, 10, all)); !slices.Equal(got, []string{"a×1"}) {
		t.Errorf("with another reason: %q", got)
	}
}

func TestAReaderIsToldThatItMissedSomething(t *testing.T) {
	l := New(2, t0)
	before := l.After(0, 10, all).Last
	for _, n := range []string{"a", "b", "a"} { // a repeat is no loss
		l.Add(Entry{Node: n})
	}
	if v := l.After(before, 10, all); v.Missed || len(v.Entries) != 2 {
		t.Errorf("nothing was lost: %+v", v)
	}
	first := l.After(0, 10, all).Entries[0].ID
	l.Add(Entry{Node: "c"})
	if v := l.After(before, 10, all); !v.Missed {
		t.Error("b was lost, and nothing says so")
	}
	if v := l.After(first, 10, all); v.Missed || len(v.Entries) != 2 {
		t.Errorf("after what was lost: %+v", v)
	}
	if v := New(2, t0.Add(time.Hour)).After(first, 10, all); !v.Missed {
		t.Error("a reader of an earlier run is not told")
	}
}

func TestALimitAndAWishLeaveTheRestForLater(t *testing.T) {
	l := New(100, t0)
	start := l.After(0, 1, all).Last
	for i := range 10 {
		l.Add(Entry{Node: fmt.Sprint(i)})
	}
	even := func(e Entry) bool { return strings.Contains("02468", e.Node) }
	var got []string
	for after := start; ; {
		v := l.After(after, 2, even)
		got = append(got, texts(v)...)
		if len(v.Entries) == 0 {
			break
		}
		after = v.Last
	}
	if diff := cmp.Diff([]string{"0×1", "2×1", "4×1", "6×1", "8×1"}, got); diff != "" {
		t.Errorf("page by page -want +got:\n%s", diff)
	}
	if got := texts(l.After(0, 2, even)); !slices.Equal(got, []string{"6×1", "8×1"}) {
		t.Errorf("the newest: %q", got)
	}
}

func TestAddWakesWhoWaits(t *testing.T) {
	l := New(1, t0)
	v := l.After(0, 1, all)
	select {
	case <-v.Changed:
		t.Error("woken by nothing")
	default:
	}
	l.Add(Entry{})
	<-v.Changed
}

func TestALongMessageIsCutInWholeCharacters(t *testing.T) {
	l := New(1, t0)
	l.Add(Entry{Message: "x" + strings.Repeat("é", maxMessage)})
	l.Add(Entry{Message: "x" + strings.Repeat("é", maxMessage)})
	e := l.After(0, 1, all).Entries[0]
	if len(e.Message) > maxMessage+len("…") || !utf8.ValidString(e.Message) || e.Count != 2 {
		t.Errorf("%d bytes, count %d", len(e.Message), e.Count)
	}
}

// TestAFollowerSeesTheLastOfEverything follows while entries are added, at any
// pace, and must end with the newest of each, unless it was told that it missed
// some.
func TestAFollowerSeesTheLastOfEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 8).Draw(t, "limit")
		l := New(limit, t0)
		after := l.After(0, 1, all).Last
		want, got, missed := map[string]int{}, map[string]int{}, false
		read := func() {
			v := l.After(after, rapid.IntRange(1, 10).Draw(t, "page"), all)
			missed = missed || v.Missed
			for _, e := range v.Entries {
				if e.ID <= after {
					t.Fatalf("%d comes after %d", e.ID, after)
				}
				after = e.ID
				got[e.Node] = e.Count
			}
			if v.Last < after {
				t.Fatalf("last %d after %d", v.Last, after)
			}
			after = v.Last
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "read") {
				read()
				continue
			}
			n := rapid.StringMatching(`[a-e]`).Draw(t, "node")
			l.Add(Entry{Node: n})
			want[n] = l.After(0, 1, all).Entries[0].Count
		}
		for l.After(after, 1, all).Last != after {
			read()
		}
		if !missed && !cmp.Equal(want, got) {
			t.Fatalf("want %v, got %v", want, got)
		}
	})
}
