package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
	"ehc/state/disk"
)

func TestWaitTellsOfADeadLetter(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	events := enqueue(t, b, "a", 2)
	waits := make(chan error, 1)
	go func() { waits <- b.Wait(ctx, "a", 1) }()
	waiting := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.queues["a"].waiters) > 0
	}
	for !waiting() {
		runtime.Gosched()
	}
	must(t, b.Bury(ctx, "a", 1, "HandlerRefused", "no", time.Now()))
	if err := <-waits; !errors.Is(err, ErrDead) {
		t.Errorf("got %v, want ErrDead", err)
	}
	if err := b.Wait(ctx, "a", 1); !errors.Is(err, ErrDead) {
		t.Errorf("afterwards: %v, want ErrDead", err)
	}
	must(t, b.Delivered(ctx, "a", 2))
	must(t, b.Wait(ctx, "a", 2))

	again, err := b.Enqueue(ctx, New{App: "a", ID: events[0].ID, Type: "x", Payload: []byte("{}")})
	must(t, err)
	if again[0].Seq != 1 {
		t.Errorf("enqueued again it is number %d, want that of the letter, 1", again[0].Seq)
	}
	n, err := b.Retry(ctx, "a", nil, time.Now())
	must(t, err)
	if out := head(t, b, "a", 2); n != 1 || len(out) != 1 || out[0].Seq != 3 || out[0].ID != events[0].ID {
		t.Errorf("retried %d: %+v", n, out)
	}
}

// TestALetterIsFoundByTheNumberThatItHad: who enqueued it knows no other.
func TestALetterIsFoundByTheNumberThatItHad(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	events := enqueue(t, b, "a", 3)
	bury := func(seq uint64) { must(t, b.Bury(ctx, "a", seq, "HandlerRefused", "no", time.Now())) }
	is := func(seq uint64, want error) {
		t.Helper()
		if err := b.Fate(ctx, "a", seq); !errors.Is(err, want) {
			t.Errorf("event %d: %v, want %v", seq, err, want)
		}
	}
	for seq := range uint64(3) {
		bury(seq + 1)
	}
	if n, err := b.DropDead(ctx, "a", []string{events[1].ID}); n != 1 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	is(1, ErrDead)
	is(2, ErrDropped)
	if n, err := b.Retry(ctx, "a", nil, time.Now()); n != 2 || err != nil {
		t.Errorf("retried %d, %v", n, err)
	}
	is(1, ErrWaiting) // as 4
	is(3, ErrWaiting) // as 5
	bury(4)
	is(1, ErrDead)
	waits := make(chan error, 1)
	go func() { waits <- b.Wait(ctx, "a", 3) }()
	must(t, b.Delivered(ctx, "a", 5))
	must(t, <-waits)
	is(3, nil)
	if _, err := b.Retry(ctx, "a", nil, time.Now()); err != nil {
		t.Error(err)
	}
	is(1, ErrWaiting) // as 6
	must(t, b.Delivered(ctx, "a", 6))
	is(1, nil)
}

// TestManyDeadLettersAreRetriedStepByStep: each step is bounded, and a letter that dies
// once more meanwhile is not retried for ever.
func TestManyDeadLettersAreRetriedStepByStep(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	big := visit("a", 1)
	big.Payload = []byte(`{"x":"` + strings.Repeat("x", MaxPayload-8) + `"}`)
	const letters = 20
	for seq := range uint64(letters) {
		big.ID = fmt.Sprint("id", seq)
		_, err := b.Enqueue(ctx, big)
		must(t, err)
		must(t, b.Bury(ctx, "a", seq+1, "HandlerRefused", "no", time.Now()))
	}
	var steps []int
	b.OnEvents(func(c Change) {
		if c.What != Retried {
			return
		}
		steps = append(steps, c.Events)
		for _, e := range head(t, b, "a", MaxCall) {
			must(t, b.Bury(ctx, "a", e.Seq, "HandlerRefused", "no", time.Now()))
		}
	})
	n, err := b.Retry(ctx, "a", nil, time.Now())
	must(t, err)
	if want := []int{8, 8, 4}; n != letters || !slices.Equal(steps, want) {
		t.Errorf("retried %d, in steps of %v, want %v", n, steps, want)
	}
	dead, err := b.Dead(ctx, "a", 0, 0)
	must(t, err)
	if len(dead) != 8 || dead[0].ID != "id0" || dead[0].Seq <= letters { // with as many bytes as one answer has
		t.Errorf("%d letters, the first is %s, number %d", len(dead), dead[0].ID, dead[0].Seq)
	}
}

func TestAnEventIsFoundByItsID(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	events := enqueue(t, b, "a", 3)
	must(t, b.Bury(ctx, "a", 1, "HandlerRefused", "no", time.Now()))
	must(t, b.Failed(ctx, "a", 2, "busy"))
	waits, dead, err := b.Find(ctx, "a", events[0].ID)
	must(t, err)
	if waits != nil || dead == nil || dead.Seq != 1 || dead.Reason != "HandlerRefused" || dead.LastError != "no" || dead.Tries != 1 {
		t.Errorf("found %+v and %+v, want a letter", waits, dead)
	}
	waits, dead, err = b.Find(ctx, "a", events[1].ID)
	must(t, err)
	if dead != nil || waits == nil || waits.Tries != 1 {
		t.Errorf("found %+v and %+v, want what waits", waits, dead)
	}
	if waits, dead, err = b.Find(ctx, "b", events[1].ID); waits != nil || dead != nil || err != nil {
		t.Errorf("found %+v and %+v, %v, of another app", waits, dead, err)
	}
}

func TestDeadLettersAreReadPageByPage(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	enqueue(t, b, "a", 5)
	for seq := range uint64(5) {
		must(t, b.Bury(ctx, "a", seq+1, "HandlerRefused", "no", time.Now()))
	}
	var got []uint64
	for after := uint64(0); ; {
		page, err := b.Dead(ctx, "a", after, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			got = append(got, l.Seq)
		}
		after = got[len(got)-1]
	}
	if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDamageOfALetterHoldsNothingUp(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	b, close := openTest(t, dir, roomy)
	events := enqueue(t, b, "a", 4)
	for seq := range uint64(3) {
		must(t, b.Bury(ctx, "a", seq+1, "HandlerRefused", "no", time.Now()))
	}
	must(t, b.db.Write(ctx, func(tx *disk.Tx) error {
		_, err := tx.Exec("UPDATE outbox_dead SET reason = 'x' WHERE seq = 2")
		return err
	}))
	close()
	b, _ = openTest(t, dir, roomy)
	letters, err := b.Dead(ctx, "a", 0, 0)
	var d *DamageError
	if !errors.As(err, &d) || !d.Dead || d.Seq != 2 || len(letters) != 1 || !strings.Contains(err.Error(), "dead letter 2 of a") {
		t.Errorf("%d letters, %v", len(letters), err)
	}
	if n := len(head(t, b, "a", 9)); n != 1 || b.Stats()[0].Damage != nil {
		t.Errorf("%d events wait, and the queue is %+v", n, b.Stats()[0])
	}
	if _, err := b.Retry(ctx, "a", []string{events[1].ID}, time.Now()); !errors.As(err, &d) {
		t.Errorf("retried a damaged letter: %v", err)
	}
	n, err := b.DropDead(ctx, "a", []string{events[1].ID})
	must(t, err)
	if letters, err = b.Dead(ctx, "a", 0, 0); n != 1 || len(letters) != 2 || err != nil {
		t.Errorf("dropped %d, %d are left, %v", n, len(letters), err)
	}
}

func TestNothingIsRememberedBeyondTheLimit(t *testing.T) {
	ctx := context.Background()
	b, _ := openTest(t, t.TempDir(), state.OutboxSpec{MaxEvents: 100, MaxBytes: 1 << 20, Remember: 3})
	events := enqueue(t, b, "a", 10)
	must(t, b.Delivered(ctx, "a", 4))
	must(t, b.Delivered(ctx, "a", 10))
	var rows int
	must(t, b.db.View(ctx, func(tx *disk.Tx) error { return tx.QueryRow("SELECT count(*) FROM outbox_done").Scan(&rows) }))
	if rows != 3 {
		t.Errorf("%d ids are remembered, want 3", rows)
	}
	for i, want := range map[int]uint64{6: 11, 7: 8, 9: 10} {
		out, err := b.Enqueue(ctx, New{App: "a", ID: events[i].ID, Type: "x", Payload: []byte("{}")})
		must(t, err)
		if out[0].Seq != want {
			t.Errorf("event %d enqueued again is number %d, want %d", i+1, out[0].Seq, want)
		}
	}
}
