package inbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnEventIsCountedOnce(t *testing.T) {
	dir := t.TempDir()
	b, close := openTest(t, dir, roomy)
	for i, want := range []bool{true, false, false} {
		if fresh := handleTest(t, b, visit("one", "/blog", 3)); fresh != want {
			t.Errorf("try %d: fresh is %v", i+1, fresh)
		}
	}
	if !handleTest(t, b, visit("two", "/blog", -5)) {
		t.Error("another event is known")
	}
	handleTest(t, b, Event{ID: "three", Name: "likes", Key: "/blog", Delta: 7, At: noon})
	close()
	b, _ = openTest(t, dir, roomy)
	if handleTest(t, b, visit("two", "/blog", -5)) {
		t.Error("an event is new after the store was opened again")
	}
	for key, want := range map[[2]string]int64{{"visits", "/blog"}: -2, {"likes", "/blog"}: 7, {"visits", "/"}: 0} {
		if got := count(t, b, key[0], key[1]); got != want {
			t.Errorf("%v is %d, want %d", key, got, want)
		}
	}
}

func TestABatchGoesAsFarAsItCan(t *testing.T) {
	ctx := context.Background()
	bad := visit("bad", "", 1)
	full := visit("full", "/most", 2)
	for name, c := range map[string]struct {
		events  []Event
		handled int
		changed []Counter
		want    error
	}{
		"nothing":           {nil, 0, nil, nil},
		"all are new":       {[]Event{visit("x", "/", 1), visit("y", "/", 2)}, 2, []Counter{{"visits", "/", 1}, {"visits", "/", 3}}, nil},
		"one is known":      {[]Event{visit("old", "/", 1), visit("y", "/", 2)}, 2, []Counter{{"visits", "/", 2}}, nil},
		"one stands twice":  {[]Event{visit("x", "/", 1), visit("x", "/", 1)}, 2, []Counter{{"visits", "/", 1}}, nil},
		"the first is bad":  {[]Event{bad, visit("y", "/", 2)}, 0, nil, ErrInvalid},
		"the last is bad":   {[]Event{visit("x", "/", 1), bad}, 1, []Counter{{"visits", "/", 1}}, ErrInvalid},
		"one overflows":     {[]Event{visit("x", "/", 1), full, visit("y", "/", 1)}, 1, []Counter{{"visits", "/", 1}}, ErrInvalid},
		"more than may be":  {make([]Event, MaxCall+1), 0, nil, ErrInvalid},
		"as many as may be": {many(MaxCall), MaxCall, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTest(t)
			handleTest(t, b, visit("old", "/old", 1))
			handleTest(t, b, visit("most", "/most", math.MaxInt64-1))
			before := ids(t, b)
			r, err := b.HandleAll(ctx, c.events)
			if r.Handled != c.handled || !errors.Is(err, c.want) {
				t.Errorf("handled %d, %v, want %d, %v", r.Handled, err, c.handled, c.want)
			}
			if diff := cmp.Diff(c.changed, r.Changed); diff != "" && c.handled < MaxCall {
				t.Error(diff)
			}
			if got := ids(t, b) - before; got != len(r.Changed) {
				t.Errorf("%d ids more, and %d counters changed", got, len(r.Changed))
			}
			for i, e := range c.events[:r.Handled] {
				if handleTest(t, b, e) {
					t.Errorf("event %d of the batch is new", i+1)
				}
			}
		})
	}
}

func many(n int) (events []Event) {
	for i := range n {
		events = append(events, visit(fmt.Sprint("many", i), "/", 1))
	}
	return events
}

func TestWhatCannotBeHandledIsRefusedAndChangesNothing(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	handleTest(t, b, visit("most", "/most", math.MaxInt64))
	handleTest(t, b, visit("least", "/least", math.MinInt64))
	before := ids(t, b)
	for name, change := range map[string]func(*Event){
		"no id":                      func(e *Event) { e.ID = "" },
		"a long id":                  func(e *Event) { e.ID = strings.Repeat("x", MaxID+1) },
		"an id of other bytes":       func(e *Event) { e.ID = "\xff" },
		"an id over two lines":       func(e *Event) { e.ID = "a\nb" },
		"no name":                    func(e *Event) { e.Name = "" },
		"a name with a colon":        func(e *Event) { e.Name = "a:b" },
		"no key":                     func(e *Event) { e.Key = "" },
		"a long key":                 func(e *Event) { e.Key = strings.Repeat("k", MaxKey+1) },
		"a counter that overflows":   func(e *Event) { e.Key = "/most" },
		"a counter that underflows":  func(e *Event) { e.Key, e.Delta = "/least", -1 },
		"a long source":              func(e *Event) { e.Source, e.Place.Seq = strings.Repeat("s", MaxSource+1), 1 },
		"number 0 of a source":       func(e *Event) { e.Source = "a" },
		"an epoch beyond the row's":  func(e *Event) { e.Source, e.Place = "a", Place{1 << 63, 1} },
		"a number beyond the row's":  func(e *Event) { e.Source, e.Place = "a", Place{1, 1 << 63} },
		"no time at which it came":   func(e *Event) { e.At = time.Time{} },
		"a time that is far to come": func(e *Event) { e.At = noon.AddDate(400, 0, 0) },
	} {
		e := visit("new", "/blog", 1)
		change(&e)
		if fresh, err := b.Handle(ctx, e); fresh || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, %v", name, fresh, err)
		}
	}
	if after := ids(t, b); after != before {
		t.Errorf("%d ids are remembered, want %d", after, before)
	}
	if handleTest(t, b, visit("most", "/most", math.MaxInt64)) {
		t.Error("a replay to a counter that is full is new")
	}
}

func TestCountersAndSourcesHaveLimits(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	handleTest(t, b, visit("one", "/1", 1))
	harm(t, b, fmt.Sprintf("UPDATE inbox_count SET n = %d", MaxCounters))
	if _, err := b.Handle(ctx, visit("two", "/2", 1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("one counter more: %v", err)
	}
	if !handleTest(t, b, visit("two", "/1", 1)) {
		t.Error("the refused event is known")
	}
	harm(t, b, fmt.Sprintf(`WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < %d)
		INSERT INTO inbox_source (source, epoch, seq, crc) SELECT 's' || i, 0, 0, 0 FROM many`, MaxSources-1))
	e := placed(1)
	e.Key = "/1"
	if !handleTest(t, b, e) {
		t.Error("the last source that may be is refused")
	}
	e.ID, e.Source = "other", "b"
	if _, err := b.Handle(ctx, e); !errors.Is(err, ErrTooMany) {
		t.Errorf("one source more: %v", err)
	}
}

func TestCountsAreListedInOrder(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	for i, key := range []string{"/b", "/a", "/c"} {
		handleTest(t, b, visit("v"+key, key, int64(i)))
		handleTest(t, b, Event{ID: "l" + key, Name: "likes", Key: key, Delta: 9, At: noon})
	}
	for name, c := range map[string]struct {
		of    string
		limit int
		want  []Counter
		more  bool
	}{
		"all":                {"", 0, []Counter{{"likes", "/a", 9}, {"likes", "/b", 9}, {"likes", "/c", 9}, {"visits", "/a", 1}, {"visits", "/b", 0}, {"visits", "/c", 2}}, false},
		"those of a name":    {"visits", 3, []Counter{{"visits", "/a", 1}, {"visits", "/b", 0}, {"visits", "/c", 2}}, false},
		"the first of them":  {"visits", 2, []Counter{{"visits", "/a", 1}, {"visits", "/b", 0}}, true},
		"the first of all":   {"", 1, []Counter{{"likes", "/a", 9}}, true},
		"a name without any": {"comments", 1, nil, false},
	} {
		got, more, err := b.Counts(ctx, c.of, c.limit)
		must(t, err)
		if diff := cmp.Diff(c.want, got); diff != "" || more != c.more {
			t.Errorf("%s: more is %v: %s", name, more, diff)
		}
	}
}

// TestCallersAtOnce: every event comes to several callers at the same time, alone
// and in batches, and counts once.
func TestCallersAtOnce(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	const callers, events = 8, 300
	var fresh atomic.Int64
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			var batch []Event
			for i := range events {
				e := visit(fmt.Sprint("e", (i+c*37)%events), "/blog", 1)
				if batch = append(batch, e); c%2 == 0 && len(batch) < 20 && i < events-1 {
					continue
				}
				r, err := b.HandleAll(ctx, batch)
				if err != nil || r.Handled != len(batch) {
					t.Errorf("handled %d of %d: %v", r.Handled, len(batch), err)
				}
				fresh.Add(int64(len(r.Changed)))
				batch = nil
			}
		})
	}
	group.Wait()
	if n := count(t, b, "visits", "/blog"); n != events || fresh.Load() != events {
		t.Errorf("%d visits, %d events new, want %d", n, fresh.Load(), events)
	}
}

func TestACallWhoseContextHasEndedChangesNothing(t *testing.T) {
	b := newTest(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if fresh, err := b.Handle(ctx, visit("one", "/blog", 1)); fresh || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", fresh, err)
	}
	if n := count(t, b, "visits", "/blog"); n != 0 {
		t.Errorf("%d visits", n)
	}
}
