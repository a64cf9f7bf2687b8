package outbox

import (
	"context"
	"errors"
	"fmt"
)

// ErrWaiting says that an event still waits for its delivery.
var ErrWaiting = errors.New("event still waits")

// Fate says at once what became of an app's event seq: what Wait would, and
// ErrWaiting where that would wait.
func (b *Box) Fate(ctx context.Context, app string, seq uint64) error {
	b.mu.Lock()
	q := b.queues[app]
	waits := q != nil && q.row.head <= seq && seq < q.row.next
	b.mu.Unlock()
	if waits {
		return fmt.Errorf("event %d of %s: %w", seq, app, ErrWaiting)
	}
	return b.Wait(ctx, app, seq) // which does not wait: the event has left the queue
}
