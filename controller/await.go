package controller

import (
	"context"
	"sync"

	"ehc/controller/api"
)

// Moment is which facts there are now. Its Revision counts the writes of the store
// and what changes beside it: dead letters, the problem with the watched file.
func (c *Controller) Moment() api.Moment { m, _, _ := c.moment(); return m }

// Await returns once the moment differs from seen in a field that seen has, or ctx
// ends, with the moment that is then.
func (c *Controller) Await(ctx context.Context, seen api.Moment) api.Moment {
	for {
		now, changed, beside := c.moment()
		if seen.Before(now) {
			return now
		}
		select {
		case <-changed:
		case <-beside:
		case <-ctx.Done():
			return now
		}
	}
}

func (c *Controller) moment() (now api.Moment, changed, beside <-chan struct{}) {
	n, beside := c.beside.state() // first: who is told of a ring sees what it was for
	snap := c.store.Snapshot()
	return api.Moment{Index: snap.Index(), Revision: c.began + snap.Version() + n}, snap.Changed(), beside
}

// bell is rung for changes that the store does not hold. Make it with newBell.
type bell struct {
	mu    sync.Mutex
	rings uint64
	next  chan struct{} // closed at the next ring
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings++
	close(b.next)
	b.next = make(chan struct{})
}

// state is how often it was rung, and what is closed when it is again.
func (b *bell) state() (uint64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rings, b.next
}
