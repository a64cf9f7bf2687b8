package outbox

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheHookIsToldOfSteps(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	var told []int
	b.OnChange(func(app string, pending int) {
		if app != "billing" {
			t.Errorf("told of %s", app)
		}
		b.Stats() // no lock is held
		told = append(told, pending)
	})
	for range 9 {
		enqueue(t, b, "billing", 1)
	}
	enqueue(t, b, "billing", 1000)
	enqueue(t, b, "billing", 14)
	enqueue(t, b, "billing", 1)
	enqueue(t, b, "billing", 1000)
	enqueue(t, b, "billing", 24)
	must(t, b.Delivered(ctx, "billing", 2046))
	must(t, b.Delivered(ctx, "billing", 2047))
	must(t, b.Delivered(ctx, "billing", 2048))
	want := []int{1, 2, 4, 8, 1009, 1024, 2048, 2, 1, 0}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

func TestAChangeDuringTheHookIsToldAfterIt(t *testing.T) {
	b := newTest(t)
	var told []int
	inside := false
	b.OnChange(func(_ string, pending int) {
		if inside {
			t.Error("told of one app twice at once")
		}
		inside = true
		if pending == 1 {
			events := enqueue(t, b, "billing", 3)
			must(t, b.Delivered(context.Background(), "billing", events[2].Seq))
			enqueue(t, b, "billing", 2)
		}
		told = append(told, pending)
		inside = false
	})
	enqueue(t, b, "billing", 1)
	if diff := cmp.Diff([]int{1, 2}, told); diff != "" {
		t.Error(diff)
	}
}

func TestAnOlderStateThatIsLearnedLateIsNoNews(t *testing.T) {
	b := newTest(t)
	older, newer := b.stamp(row{head: 1, next: 3, bytes: 20, headAt: 1}), b.stamp(row{head: 3, next: 4, bytes: 10, headAt: 2})
	b.learn(map[string]rowState{"billing": newer})
	b.learn(map[string]rowState{"billing": older})
	want := []Stat{{App: "billing", Pending: 1, Bytes: 10, Oldest: time.Unix(0, 2).UTC()}}
	if diff := cmp.Diff(want, b.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestTheHooksLastWordIsTrue(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	var mu sync.Mutex
	inside, last := false, -1
	b.OnChange(func(_ string, pending int) {
		mu.Lock()
		if inside {
			t.Error("told of one app twice at once")
		}
		inside = true
		mu.Unlock()
		mu.Lock()
		inside, last = false, pending
		mu.Unlock()
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				out, err := b.Enqueue(ctx, visit("billing", 1))
				if err == nil {
					err = b.Delivered(ctx, "billing", out[0].Seq)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s := b.Stats()[0]; last != 0 || s.Pending != 0 || s.Bytes != 0 || !s.Oldest.IsZero() {
		t.Errorf("last told of %d, and the queue is %+v, want 0", last, s)
	}
}
