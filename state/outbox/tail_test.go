package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"ehc/state/disk"
)

// together makes calls at once, which share a commit as far as they can: it begins
// when all have been started.
func together(t *testing.T, b *Box, calls ...func()) {
	t.Helper()
	running, goOn := make(chan bool), make(chan bool)
	var all sync.WaitGroup
	all.Go(func() {
		must(t, b.db.Write(context.Background(), func(*disk.Tx) error {
			close(running)
			<-goOn
			return nil
		}))
	})
	<-running
	for _, call := range calls {
		all.Go(call)
	}
	for range 100 * len(calls) {
		runtime.Gosched() // they queue
	}
	close(goOn)
	all.Wait()
}

// TestCallsOfOneCommitSeeEachOther: single events, calls of several, ids that two
// calls have, calls that come to nothing, and what takes events out.
func TestCallsOfOneCommitSeeEachOther(t *testing.T) {
	ctx := context.Background()
	limits := roomy
	limits.MaxBytes = 100_000
	b, _ := openTest(t, t.TempDir(), limits)
	enqueue(t, b, "a", 3)
	var mu sync.Mutex
	seqs := map[string]uint64{}
	put := func(events ...New) func() {
		return func() {
			out, err := b.Enqueue(ctx, events...)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, e := range out {
				if had, ok := seqs[e.ID]; ok && had != e.Seq {
					t.Errorf("%s is number %d and %d", e.ID, had, e.Seq)
				}
				seqs[e.ID] = e.Seq
			}
		}
	}
	tooMuch := visit("a", 1)
	tooMuch.Payload = []byte(fmt.Sprintf(`{"x":"%0100000d"}`, 1))
	var calls []func()
	for i := range 30 {
		calls = append(calls, put(visit("a", i)), put(visit("a", i)), func() {
			var full *FullError
			if _, err := b.Enqueue(ctx, visit("a", 1), tooMuch); !errors.As(err, &full) {
				t.Errorf("got %v, want full", err)
			}
		})
		if i%5 == 0 {
			own := visit("a", i)
			own.ID = fmt.Sprint("own", i%10)
			calls = append(calls, put(own), put(visit("a", 1), visit("a", 2), visit("a", 3), visit("a", 4), visit("a", 5)))
		}
	}
	calls = append(calls, func() { must(t, b.Delivered(ctx, "a", 2)) })
	together(t, b, calls...)

	waits := head(t, b, "a", MaxCall)
	if want := 1 + 60 + 2 + 6*5; len(waits) != want || b.Stats()[0].Pending != want {
		t.Errorf("%d wait, Stats has %+v, want %d", len(waits), b.Stats()[0], want)
	}
	for _, e := range waits[1:] {
		if seqs[e.ID] != e.Seq {
			t.Errorf("%s is number %d, and was said to be %d", e.ID, e.Seq, seqs[e.ID])
		}
	}
}

// TestAnIDThatIsNotFreshIsFoundOut: those that came with it are written all the same.
func TestAnIDThatIsNotFreshIsFoundOut(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	old := enqueue(t, b, "a", 1)[0]
	var calls []func()
	for range 10 {
		calls = append(calls, func() {
			out, err := b.Enqueue(ctx, visit("a", 2))
			if err != nil || out[0].Seq < 2 {
				t.Errorf("a new one: %+v, %v", out, err)
			}
		}, func() {
			n := visit("a", 3)
			n.ID, n.Minted = old.ID, true
			if out, err := b.Enqueue(ctx, n); err != nil || out[0].Seq != old.Seq || string(out[0].Payload) != string(old.Payload) {
				t.Errorf("an old one: %+v, %v", out, err)
			}
		})
	}
	together(t, b, calls...)
	if n := len(head(t, b, "a", MaxCall)); n != 11 || b.Stats()[0].Pending != 11 {
		t.Errorf("%d wait, Stats has %+v, want 11", n, b.Stats()[0])
	}
}
