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
// once it holds limit bytes, so that a frame longer than the limit passes. Frames that
// are pushed are counted by themselves too: one long frame that was put is no reason to
// turn them away.
type queue struct {
	limit int
	wake  chan struct{} // room for one: there is something to take

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	pushed int      // of those bytes
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

// push adds frames without waiting. It returns false if limit bytes that were pushed
// wait already; a closed queue swallows them.
func (q *queue) push(frames ...[]byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	if q.pushed >= q.limit {
		return false
	}
	q.pushed += q.add(frames)
	return true
}

// add returns how many bytes it has added.
func (q *queue) add(frames [][]byte) int {
	first := len(q.frames) == 0
	q.frames = append(q.frames, frames...)
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	q.bytes += size
	if first {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return size
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
	q.frames, q.bytes, q.pushed = used[:0], 0, 0
	q.release()
	return frames
}

// close lets nothing in any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.frames, q.bytes, q.pushed = true, nil, 0, 0
	q.release()
}

func (q *queue) release() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
