package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeliveredStrikesOutAPrefix(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	b, close := openTest(t, dir, roomy)
	events := enqueue(t, b, "billing", 5)
	must(t, b.Delivered(ctx, "billing", 2))
	must(t, b.Delivered(ctx, "billing", 2))
	must(t, b.Delivered(ctx, "billing", 0))
	if diff := cmp.Diff(events[2:], head(t, b, "billing", 9)); diff != "" {
		t.Error(diff)
	}
	for _, app := range []string{"billing", "nobody"} {
		if err := b.Delivered(ctx, app, 6); !errors.Is(err, ErrNotWaiting) {
			t.Errorf("beyond the end of %s: %v", app, err)
		}
	}
	must(t, b.Delivered(ctx, "billing", 5))
	close()
	b, _ = openTest(t, dir, roomy)
	if got := head(t, b, "billing", 9); len(got) != 0 {
		t.Errorf("delivered, and there again: %+v", got)
	}
	if e := enqueue(t, b, "billing", 1)[0]; e.Seq != 6 {
		t.Errorf("the next event is number %d, want 6", e.Seq)
	}
}

func TestAFailureIsCountedAndKept(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	enqueue(t, b, "billing", 2)
	must(t, b.Failed(ctx, "billing", 1, "badrpc"))
	must(t, b.Failed(ctx, "billing", 1, strings.Repeat("é", MaxWhy)))
	got := head(t, b, "billing", 2)
	if got[0].Tries != 2 || len(got[0].LastError) != MaxWhy || !strings.HasPrefix(got[0].LastError, "éé") {
		t.Errorf("%d tries, last error %q", got[0].Tries, got[0].LastError)
	}
	if got[1].Tries != 0 || got[1].LastError != "" {
		t.Errorf("the other event: %+v", got[1])
	}
	for app, seq := range map[string]uint64{"billing": 3, "nobody": 1} {
		if err := b.Failed(ctx, app, seq, "x"); !errors.Is(err, ErrNotWaiting) {
			t.Errorf("%s %d: %v, want ErrNotWaiting", app, seq, err)
		}
	}
}

func TestHeadAndListHaveLimits(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	enqueue(t, b, "a", MaxCall+5)
	big := visit("b", 1)
	big.Payload = []byte(`{"x":"` + strings.Repeat("x", MaxPayload-8) + `"}`)
	for range 10 {
		_, err := b.Enqueue(ctx, big)
		must(t, err)
	}
	for n, want := range map[int]int{-1: 0, 0: 0, 1: 1, MaxCall: MaxCall, MaxCall + 5: MaxCall} {
		if got := len(head(t, b, "a", n)); got != want {
			t.Errorf("Head of %d has %d events, want %d", n, got, want)
		}
	}
	if got := len(head(t, b, "b", 10)); got != MaxCallBytes/MaxPayload {
		t.Errorf("Head of the big has %d events, want %d", got, MaxCallBytes/MaxPayload)
	}
	must(t, b.Delivered(ctx, "a", MaxCall+3))
	all, err := b.List(ctx, "", 0, 5)
	must(t, err)
	got := ""
	for _, e := range all {
		got += fmt.Sprint(e.App, e.Seq, " ")
	}
	if want := "a1004 a1005 b1 b2 b3 "; got != want {
		t.Errorf("List: %s, want %s", got, want)
	}
	big.App = "c"
	for range 5 {
		_, err := b.Enqueue(ctx, big)
		must(t, err)
	}
	all, err = b.List(ctx, "", 0, 0)
	must(t, err)
	if want := 2 + MaxCallBytes/MaxPayload - 1; len(all) != want { // the small ones take their part
		t.Errorf("List of all: %d events, want %d", len(all), want)
	}
	one, err := b.List(ctx, "b", 0, 2)
	must(t, err)
	if len(one) != 2 || one[0].App != "b" {
		t.Errorf("List of one app: %d events", len(one))
	}
}

func TestWaitEndsWithTheDelivery(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	enqueue(t, b, "billing", 4)
	waits := make(chan error, 4)
	for seq := range uint64(4) {
		go func() { waits <- b.Wait(ctx, "billing", seq+1) }()
	}
	waiters := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.queues["billing"].waiters)
	}
	for waiters() < 4 {
		runtime.Gosched()
	}
	must(t, b.Delivered(ctx, "billing", 2))
	must(t, <-waits)
	must(t, <-waits)
	if n := waiters(); n != 2 {
		t.Errorf("%d still wait, want 2", n)
	}
	must(t, b.Wait(ctx, "billing", 1))
	if _, err := b.Drop(ctx, "billing", 3); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; !errors.Is(err, ErrDropped) {
		t.Errorf("got %v, want ErrDropped", err)
	}
	if err := b.Wait(ctx, "billing", 3); !errors.Is(err, ErrDropped) {
		t.Errorf("afterwards: %v, want ErrDropped", err)
	}
	must(t, b.Wait(ctx, "billing", 2))
	must(t, b.Delivered(ctx, "billing", 4))
	must(t, <-waits)
	for _, seq := range []uint64{0, 5} {
		if err := b.Wait(ctx, "billing", seq); !errors.Is(err, ErrNotWaiting) {
			t.Errorf("event %d: %v, want ErrNotWaiting", seq, err)
		}
	}
	enqueue(t, b, "billing", 1)
	ended, cancel := context.WithCancel(ctx)
	go func() { waits <- b.Wait(ended, "billing", 5) }()
	for waiters() < 1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) || waiters() != 0 {
		t.Errorf("got %v and %d waiters, want context.Canceled and none", err, waiters())
	}
}
