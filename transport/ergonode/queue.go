package ergonode

import (
	"context"
	"sync"
)

// How many frames leave their memory to those after them, and how large ones at most.
const (
	spareFrames = 256
	spareSize   = 4 << 10
)

// queue holds the frames that wait to be written to a peer, in order. It is full
// once it holds limit bytes: one more frame of any length may then still be on its
// way in, so that a frame longer than the limit passes.
type queue struct {
	limit int
	wake  chan struct{} // room for one: there is something to take

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	spare  [][]byte // the memory of frames that have been written
	closed bool
	room   chan struct{} // closed once there is room; nil while nobody waits
}

func newQueue(limit int) *queue { return &queue{limit: limit, wake: make(chan struct{}, 1)} }

// put adds frames side by side, and waits while the queue is full. It returns false
// if the queue is closed, and ctx's error if that ends first.
func (q *queue) put(ctx context.Context, frames ...[]byte) (bool, error) {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return false, nil
		}
		if q.bytes < q.limit {
			q.add(frames)
			q.mu.Unlock()
			return true, nil
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// push adds frames without waiting. It takes up to twice the limit, and returns
// false beyond it; a closed queue swallows them.
func (q *queue) push(frames ...[]byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	if q.bytes >= 2*q.limit {
		return false
	}
	q.add(frames)
	return true
}

func (q *queue) add(frames [][]byte) {
	first := len(q.frames) == 0
	q.frames = append(q.frames, frames...)
	for _, f := range frames {
		q.bytes += len(f)
	}
	if !first {
		return
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// buffer gives memory for a frame, or nil. The frame is to be put or dropped.
func (q *queue) buffer() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.spare) - 1
	if last < 0 {
		return nil
	}
	b := q.spare[last]
	q.spare = q.spare[:last]
	return b
}

// take returns everything that waits. used is what a former take returned: the
// memory of the slice and of its frames is used again.
func (q *queue) take(used [][]byte) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range used {
		if cap(f) <= spareSize && len(q.spare) < spareFrames {
			q.spare = append(q.spare, f)
		}
	}
	clear(used)
	frames := q.frames
	q.frames, q.bytes = used[:0], 0
	q.release()
	return frames
}

// close lets nothing in any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.frames, q.bytes = true, nil, 0
	q.release()
}

func (q *queue) release() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
