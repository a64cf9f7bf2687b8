package outbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ehc/state/disk"
)

// TestALetterOnItsWayIsNotDelivered: it is gone on disk, and the call that has put it
// back, or dropped it, is about to be told so.
func TestALetterOnItsWayIsNotDelivered(t *testing.T) {
	for name, c := range map[string]struct {
		move func(context.Context, *Box) error
		want error
	}{
		"put back": {func(ctx context.Context, b *Box) error { _, err := b.Retry(ctx, "a", nil, time.Now()); return err }, ErrWaiting},
		"dropped":  {func(ctx context.Context, b *Box) error { _, err := b.DropDead(ctx, "a", nil); return err }, ErrDropped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				b := newTest(t)
				enqueue(t, b, "a", 1)
				must(t, b.Bury(ctx, "a", 1, "HandlerRefused", "no", time.Now()))
				got := make(chan error, 1)
				b.db.OnCommit(func(disk.Commit) {
					go func() { got <- b.Fate(ctx, "a", 1) }()
					synctest.Wait() // until it is answered, or waits for the call
					b.db.OnCommit(func(disk.Commit) {})
				})
				must(t, c.move(ctx, b))
				if err := <-got; !errors.Is(err, c.want) {
					t.Errorf("it is %v, want %v", err, c.want)
				}
			})
		})
	}
}
