package outbox

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"ehc/state"
)

// ear keeps what a box tells.
type ear struct {
	mu    sync.Mutex
	heard []Change
}

func (e *ear) hear(c Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, c)
}

// take returns what was heard since the last take, ordered.
func (e *ear) take() []Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.heard
	e.heard = nil
	slices.SortFunc(got, func(a, b Change) int { return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.What, b.What)) })
	return got
}

func TestEveryChangeIsHeardOf(t *testing.T) {
	ctx := context.Background()
	b, _ := openTest(t, t.TempDir(), state.OutboxSpec{
		MaxEvents: 4, MaxBytes: 1 << 20, MaxDead: 10, Remember: 10, MaxAge: time.Hour,
	})
	var ear ear
	b.OnEvents(ear.hear)
	expect := func(what string, want ...Change) {
		t.Helper()
		if d := diff.Diff(want, ear.take()); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}

	out := enqueue(t, b, "a", 3)
	expect("enqueued", Change{App: "a", What: Enqueued, Events: 3})
	_, err := b.Enqueue(ctx, New{App: "a", ID: out[0].ID, Type: "x", Payload: []byte("{}")}, visit("a", 1), visit("b", 1))
	must(t, err)
	expect("one of them known", Change{App: "a", What: Enqueued, Events: 1}, Change{App: "a", What: Known, Events: 1},
		Change{App: "b", What: Enqueued, Events: 1})
	if _, err := b.Enqueue(ctx, visit("a", 1)); err == nil {
		t.Fatal("five fit into four")
	}
	expect("full", Change{App: "a", What: Full, Events: 1})

	must(t, b.Failed(ctx, "a", 1, "busy"))
	expect("failed", Change{App: "a", What: Failed, Events: 1})
	must(t, b.Bury(ctx, "a", 1, "HandlerRefused", "no", time.Now()))
	expect("buried", Change{App: "a", What: Buried, Reason: "HandlerRefused", Events: 1})
	must(t, b.Delivered(ctx, "a", 3))
	must(t, b.Delivered(ctx, "a", 3))
	expect("delivered, once", Change{App: "a", What: Delivered, Events: 2})
	_, err = b.Retry(ctx, "a", nil, time.Now())
	must(t, err)
	expect("retried", Change{App: "a", What: Retried, Events: 1})
	_, _, err = b.Expire(ctx, "a", time.Now().Add(2*time.Hour))
	must(t, err)
	expect("expired", Change{App: "a", What: Buried, Reason: Expired, Events: 2})
	_, err = b.DropDead(ctx, "a", nil)
	must(t, err)
	expect("dropped letters", Change{App: "a", What: DroppedDead, Events: 2})
	_, err = b.Drop(ctx, "b", 1)
	must(t, err)
	expect("dropped", Change{App: "b", What: Dropped, Events: 1})
}
