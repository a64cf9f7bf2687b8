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
	return b.fate(ctx, app, seq, func(_ context.Context, app string, seq uint64) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.left(app, seq)
	})
}

// fate is what became of an event, under whatever number it has by now. left returns
// how the event of a number has left the queue.
func (b *Box) fate(ctx context.Context, app string, seq uint64, left func(context.Context, string, uint64) error) error {
	for {
		err := left(ctx, app, seq)
		if err == nil && b.hasDead(app) {
			err = b.isAlive(ctx, app, seq)
		}
		if err == nil {
			err = b.settled(ctx, app)
		}
		now, dropped := b.follow(app, seq)
		switch {
		case err != nil:
			return err
		case dropped:
			return fmt.Errorf("wait for event %d of %s: %w", seq, app, ErrDropped)
		case now == seq:
			return nil
		}
		seq = now
	}
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

// moves are changes under way that make dead letters of one app none.
type moves struct {
	n    int
	over chan struct{} // closed when there is none any more
}

// moving begins such a change, and returns what ends it, once the Box knows of it what
// the disk has.
func (b *Box) moving(app string) (end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.moves[app]
	if m == nil {
		m = &moves{over: make(chan struct{})}
		b.moves[app] = m
	}
	m.n++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if m.n--; m.n == 0 {
			delete(b.moves, app)
			close(m.over)
		}
	}
}

// settled returns when no such change is under way. Whoever has seen on disk that a
// letter is gone finds out by follow only then where it went.
func (b *Box) settled(ctx context.Context, app string) error {
	b.mu.Lock()
	m := b.moves[app]
	b.mu.Unlock()
	if m == nil {
		return nil
	}
	select {
	case <-m.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
