package disk

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Bounds of the queue and of a group.
const (
	maxQueued     = 1024     // writes that wait; more block their callers
	maxGroup      = 256      // writes in one commit
	maxGroupBytes = 16 << 20 // of arguments, after which no more join
)

// committer is the one goroutine that writes. It takes what waits, runs it in
// one transaction and flushes once:
//
//	queued ──▶ running ──▶ answered         a group: BEGIN, then for each
//	   │                                    SAVEPOINT, function, RELEASE (or
//	   └─ caller's ctx ended: abandoned     ROLLBACK TO), then COMMIT
//
// A group takes in whoever comes while its functions run; nobody is waited for.
type committer struct {
	dir     string
	w       *conn
	mark    mark
	ballast *ballast
	commits uint64
	lasting kept // by commits that were made
	heard   atomic.Pointer[func(Commit)]
	spare   int           // shrinkFrom
	freed   bool          // since shrink last found nothing to do
	longLog int64         // in bytes: see shorten
	restart time.Duration // restartLimit

	queue    chan *request
	stopping chan struct{}
	stopped  chan struct{}
}

// request is one write. Whoever moves it out of queued owns the outcome.
type request struct {
	fn    func(*Tx) error
	frees bool
	whole bool // fn returns an error only if it has changed nothing
	owned atomic.Bool
	err   error      // the function's own
	done  chan error // has room for the answer
}

func (r *request) claim() bool { return r.owned.CompareAndSwap(false, true) }

func newCommitter(dir string, w *conn, m mark, b *ballast) *committer {
	return &committer{
		dir: dir, w: w, mark: m, ballast: b, spare: shrinkFrom, longLog: ballastSize, restart: restartLimit, lasting: kept{},
		queue:    make(chan *request, maxQueued),
		stopping: make(chan struct{}),
		stopped:  make(chan struct{}),
	}
}

// do queues a write and waits for its outcome, or for the end of ctx while it
// is queued.
func (c *committer) do(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.done = make(chan error, 1)
	select {
	case <-c.stopping:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case c.queue <- r:
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.claim() {
			return ctx.Err()
		}
	case <-c.stopped:
		if r.claim() {
			return ErrClosed
		}
	}
	return <-r.done
}

// run commits until stop. What is still queued then is left to its callers.
func (c *committer) run() {
	defer close(c.stopped)
	for {
		select {
		case <-c.stopping:
			return
		case r := <-c.queue:
			// Those just answered are about to come again: one turn of the
			// scheduler lets them share this flush instead of the next.
			runtime.Gosched()
			if r.claim() {
				c.commit(r)
			}
			c.shrink()
			c.shorten()
		}
	}
}

// stop ends run and waits for it.
func (c *committer) stop() {
	close(c.stopping)
	<-c.stopped
}

// commit does a group that begins with first, and answers each of it. When the
// volume is full, those that free room get a second try with the ballast's.
func (c *committer) commit(first *request) {
	group, err := c.try(first, c.waiting)
	if errors.Is(err, ErrFull) && slices.ContainsFunc(group, frees) && c.ballast.release() {
		var again []*request
		for _, r := range group {
			if r.frees {
				again = append(again, r)
			} else {
				r.done <- err
			}
		}
		group = again
		_, err = c.try(group[0], func() *request {
			if again = again[1:]; len(again) > 0 {
				return again[0]
			}
			return nil
		})
	}
	for _, r := range group {
		if err != nil {
			r.done <- err
		} else {
			r.done <- r.err
		}
	}
}

func frees(r *request) bool { return r.frees }

// waiting takes the next write out of the queue, or nil if there is none.
func (c *committer) waiting() *request {
	for {
		select {
		case r := <-c.queue:
			if r.claim() {
				return r
			}
		default:
			return nil
		}
	}
}
