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
	seq, _ = b.follow(app, seq)
	b.mu.Lock()
	q := b.queues[app]
	waits := q != nil && q.row.head <= seq && seq < q.row.next
	b.mu.Unlock()
	if waits {
		return fmt.Errorf("event %d of %s: %w", seq, app, ErrWaiting)
	}
	return b.Wait(ctx, app, seq) // which does not wait: the event has left the queue
}

// maxFates is of how many letters of one app it is remembered what became of them.
const maxFates = 4096

// fate is what became of a dead letter that is none any more: it waits under a new
// number, or a person dropped it, which is number 0.
type fate struct{ was, is uint64 }

// fates are those of the last letters that people have put back or dropped since
// the Box was opened, so that those who know an event by its old number find it. The
// zero value is ready for use.
type fates struct {
	is    map[uint64]uint64 // by the number that it had
	order []uint64
}

func (r *fates) note(f fate) {
	if r.is == nil {
		r.is = map[uint64]uint64{}
	}
	if len(r.order) == maxFates {
		delete(r.is, r.order[0])
		r.order = r.order[1:]
	}
	r.is[f.was] = f.is
	r.order = append(r.order, f.was)
}

// follow is the number that an event has now, or that it was dropped as a letter.
func (r *fates) follow(seq uint64) (now uint64, dropped bool) {
	for {
		is, ok := r.is[seq]
		switch {
		case !ok:
			return seq, false
		case is == 0:
			return seq, true
		}
		seq = is // numbers only grow
	}
}

// follow is that of an app's letters.
func (b *Box) follow(app string, seq uint64) (now uint64, dropped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[app]; q != nil {
		return q.fates.follow(seq)
	}
	return seq, false
}
