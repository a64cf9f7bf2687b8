package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

func TestWhatMayBeEnqueued(t *testing.T) {
	ctx := context.Background()
	good := visit("billing", 1)
	change := func(f func(*New)) []New {
		n := good
		f(&n)
		return []New{good, n}
	}
	object := func(size int) json.RawMessage {
		return json.RawMessage(`{"x":"` + strings.Repeat("x", size-8) + `"}`)
	}
	for name, c := range map[string]struct {
		events []New
		ok     bool
	}{
		"nothing":                        {nil, true},
		"an object in spaces":            {change(func(n *New) { n.Payload = json.RawMessage("\n {} \t") }), true},
		"the longest payload":            {change(func(n *New) { n.Payload = object(MaxPayload) }), true},
		"a payload that is longer":       {change(func(n *New) { n.Payload = object(MaxPayload + 1) }), false},
		"payloads too long together":     {slices.Repeat(change(func(n *New) { n.Payload = object(MaxPayload) }), 9), false},
		"no payload":                     {change(func(n *New) { n.Payload = nil }), false},
		"an array":                       {change(func(n *New) { n.Payload = json.RawMessage(`[{}]`) }), false},
		"half an object":                 {change(func(n *New) { n.Payload = json.RawMessage(`{"a":`) }), false},
		"two objects":                    {change(func(n *New) { n.Payload = json.RawMessage(`{}{}`) }), false},
		"a string that is not UTF-8":     {change(func(n *New) { n.Payload = json.RawMessage("{\"a\":\"\xff\"}") }), false},
		"no app":                         {change(func(n *New) { n.App = "" }), false},
		"no type":                        {change(func(n *New) { n.Type = "" }), false},
		"the longest type":               {change(func(n *New) { n.Type = strings.Repeat("t", MaxType) }), true},
		"a type that is longer":          {change(func(n *New) { n.Type = strings.Repeat("t", MaxType+1) }), false},
		"a type of two lines":            {change(func(n *New) { n.Type = "a\nb" }), false},
		"an id that is too long":         {change(func(n *New) { n.ID = strings.Repeat("i", MaxID+1) }), false},
		"an id that is not UTF-8":        {change(func(n *New) { n.ID = "\xff" }), false},
		"a time before the epoch":        {change(func(n *New) { n.InsertedAt = time.Unix(-1, 0) }), false},
		"as many as one call may have":   {slices.Repeat([]New{good}, MaxCall), true},
		"more than one call may have":    {slices.Repeat([]New{good}, MaxCall+1), false},
		"a time that its row can't hold": {change(func(n *New) { n.InsertedAt = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC) }), false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTest(t)
			events, err := b.Enqueue(ctx, c.events...)
			want := 0
			if c.ok {
				must(t, err)
				want = len(c.events)
			} else if !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
			if got := len(head(t, b, "billing", MaxCall)); got != want || len(events) != want {
				t.Errorf("%d events wait, %d were returned, want %d", got, len(events), want)
			}
		})
	}
}

func TestAnEventComesBackAsItWasGiven(t *testing.T) {
	dir := t.TempDir()
	b, close := openTest(t, dir, roomy)
	at := time.Date(2026, 2, 3, 4, 5, 6, 789, time.FixedZone("", 3600))
	n := New{App: "médias", ID: "id-1", Type: "add_comment", Payload: json.RawMessage("{ \"text\":\t\"…\"}"), InsertedAt: at}
	want := Event{App: n.App, Seq: 1, ID: n.ID, Type: n.Type, Payload: n.Payload, InsertedAt: at.UTC()}
	out, err := b.Enqueue(context.Background(), n)
	must(t, err)
	if diff := cmp.Diff([]Event{want}, out); diff != "" {
		t.Error(diff)
	}
	close()
	b, _ = openTest(t, dir, roomy)
	if diff := cmp.Diff([]Event{want}, head(t, b, n.App, 5)); diff != "" {
		t.Error(diff)
	}
	stat := []Stat{{App: n.App, Pending: 1, Bytes: int64(len(n.Payload)), Oldest: want.InsertedAt}}
	if diff := cmp.Diff(stat, b.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestAnIDThatIsKnownIsNotEnqueuedAgain(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	first, again := visit("billing", 1), visit("billing", 2)
	first.ID, again.ID = "one", "one"
	other := first
	other.App = "search"
	out, err := b.Enqueue(ctx, first, again, other)
	must(t, err)
	if out[0].Seq != 1 || !cmp.Equal(out[0], out[1]) || out[2].Seq != 1 {
		t.Errorf("in one call: %+v", out)
	}
	must(t, b.Failed(ctx, "billing", 1, "busy"))
	out, err = b.Enqueue(ctx, again, visit("billing", 3))
	must(t, err)
	if out[0].Seq != 1 || string(out[0].Payload) != string(first.Payload) || out[0].Tries != 1 || out[1].Seq != 2 {
		t.Errorf("in a later call: %+v", out)
	}
	must(t, b.Delivered(ctx, "billing", 1))
	out, err = b.Enqueue(ctx, first, visit("billing", 4))
	must(t, err)
	if out[0].Seq != 1 || out[1].Seq != 3 {
		t.Errorf("after its delivery: %+v", out)
	}
	must(t, b.Wait(ctx, "billing", out[0].Seq))
}

func TestAFullQueueSaysSo(t *testing.T) {
	ctx := context.Background()
	size := int64(len(visit("", 1).Payload))
	for name, limits := range map[string]state.OutboxSpec{
		"by count": {MaxEvents: 3, MaxBytes: 1 << 30},
		"by bytes": {MaxEvents: 1 << 30, MaxBytes: 3*size + 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := openTest(t, t.TempDir(), limits)
			waiting := enqueue(t, b, "billing", 3)
			out, err := b.Enqueue(ctx, visit("search", 1), visit("billing", 4))
			want := &FullError{App: "billing", Events: 3, MaxEvents: limits.MaxEvents, Bytes: 3 * size, MaxBytes: limits.MaxBytes}
			var full *FullError
			if !errors.As(err, &full) || !cmp.Equal(want, full) {
				t.Errorf("got %v, want %v", err, want)
			}
			if len(out) != 2 || out[0].ID == "" || out[0].Seq != 0 {
				t.Errorf("the events to try again with are %+v", out)
			}
			if n := len(head(t, b, "search", 1)); n != 0 {
				t.Error("the other app's event was enqueued")
			}
			// A try of what waits already needs no room.
			again, err := b.Enqueue(ctx, New{App: "billing", ID: waiting[1].ID, Type: "t", Payload: json.RawMessage(`{}`)})
			must(t, err)
			if again[0].Seq != 2 {
				t.Errorf("got %+v, want the event that waits", again)
			}
			must(t, b.Delivered(ctx, "billing", 1))
			_, err = b.Enqueue(ctx, out[1].again())
			must(t, err)
			b.SetLimits(roomy)
			enqueue(t, b, "billing", 10)
			b.SetLimits(state.OutboxSpec{})
			if _, err := b.Enqueue(ctx, visit("billing", 1)); !errors.As(err, &full) || full.Events != 13 {
				t.Errorf("with no limit left: %v", err)
			}
		})
	}
}

// again is the event to try once more.
func (e Event) again() New {
	return New{App: e.App, ID: e.ID, Type: e.Type, Payload: e.Payload, InsertedAt: e.InsertedAt}
}

func TestEachProducersEventsStayInOrder(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	const producers, each = 8, 40
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				n := visit(fmt.Sprintf("app%d", p%2), i)
				n.Type = fmt.Sprint(p)
				if _, err := b.Enqueue(ctx, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for app := range 2 {
		next := map[string]int{}
		events := head(t, b, fmt.Sprintf("app%d", app), MaxCall)
		for i, e := range events {
			if want := fmt.Sprintf(`{"delta": %d}`, next[e.Type]); e.Seq != uint64(i+1) || string(e.Payload) != want {
				t.Fatalf("event %d is %+v, want producer %s's %s", i, e, e.Type, want)
			}
			next[e.Type]++
		}
		if len(events) != producers/2*each {
			t.Errorf("%d events, want %d", len(events), producers/2*each)
		}
	}
}

func TestMintedIDsGrow(t *testing.T) {
	b := newTest(t)
	now := time.Now()
	last := ""
	for i := range 10_000 {
		at := now
		if i%3 == 1 {
			at = now.Add(-time.Hour) // the clock goes back
		}
		id := b.MintID(at)
		if id <= last || len(id) != 26 {
			t.Fatalf("id %q after %q", id, last)
		}
		last = id
	}
	for _, at := range []time.Time{{}, time.Unix(1<<60, 0), time.Unix(0, 0)} {
		if id := b.MintID(at); id <= last {
			t.Fatalf("id %q after %q at %v", id, last, at)
		} else {
			last = id
		}
	}
}

func TestThereIsALimitToApps(t *testing.T) {
	b := newTest(t)
	var all []New
	for i := range MaxApps {
		all = append(all, visit(fmt.Sprintf("app%d", i), 1))
	}
	_, err := b.Enqueue(context.Background(), all[:MaxCall]...)
	must(t, err)
	_, err = b.Enqueue(context.Background(), all[MaxCall:]...)
	must(t, err)
	if _, err := b.Enqueue(context.Background(), all[0], visit("more", 1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if n := len(b.Stats()); n != MaxApps {
		t.Errorf("%d apps, want %d", n, MaxApps)
	}
}

// TestManyAtOnceAreLikeOneByOne: calls of many events, in which now and then one is
// for another app, has an id of its own or one that is not as fresh as it is said to
// be, or for which there is no room.
func TestManyAtOnceAreLikeOneByOne(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func([]New, string) (refused bool){
		"all are fresh":      func([]New, string) bool { return false },
		"one has its own id": func(call []New, _ string) bool { call[7].ID = "own"; return false },
		"one is for another": func(call []New, _ string) bool { call[25].App = "search"; return false },
		"one waits already":  func(call []New, old string) bool { call[33].ID, call[33].Minted = old, true; return false },
		"the queue has no room": func(call []New, _ string) bool {
			call[44].Payload = []byte(`{"x":"` + strings.Repeat("x", 5000) + `"}`)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			limits := roomy
			limits.MaxBytes = 5000
			b, _ := openTest(t, t.TempDir(), limits)
			old := enqueue(t, b, "billing", 1)[0]
			var call []New
			for i := range 3*atOnce + 5 {
				call = append(call, visit("billing", i))
			}
			refused := change(call, old.ID)
			out, err := b.Enqueue(ctx, call...)
			var full *FullError
			if refused != errors.As(err, &full) || !refused && err != nil {
				t.Fatalf("got %v, want full: %v", err, refused)
			}
			next := map[string]uint64{"billing": 2, "search": 1}
			bytes := int64(len(old.Payload))
			for i, e := range out {
				switch {
				case refused && e.Seq != 0:
					t.Errorf("refused, and event %d is number %d", i, e.Seq)
				case refused:
				case e.ID == old.ID:
					if e.Seq != old.Seq {
						t.Errorf("what waits is number %d", e.Seq)
					}
				default:
					if e.Seq != next[e.App] || e.ID == "" {
						t.Errorf("event %d is %+v, want number %d", i, e, next[e.App])
					}
					next[e.App]++
					if e.App == "billing" {
						bytes += int64(len(e.Payload))
					}
				}
			}
			waits := head(t, b, "billing", MaxCall)
			if s := b.Stats()[0]; len(waits) != int(next["billing"]-1) || s.Pending != len(waits) || s.Bytes != bytes {
				t.Errorf("%d wait, Stats has %+v, want %d with %d bytes", len(waits), s, next["billing"]-1, bytes)
			}
		})
	}
}
