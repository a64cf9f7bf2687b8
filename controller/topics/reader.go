package topics

import (
	"context"
	"errors"
)

// ErrClosed says that the hub has come to its end.
var ErrClosed = errors.New("no more messages")

// Batch is what a reader gets at once, oldest first.
type Batch struct {
	// Lost is how many messages of the reader's it was too slow for, or the hub; they
	// came before Messages. Those that no topic of the reader's had are not among
	// them, as far as that is known.
	Lost uint64
	// Forgotten says that the reader wanted to resume after a message that is no
	// longer known: what came between that and Messages is lost, however much it was.
	Forgotten bool
	Messages  []*Message // shared, and not to be changed
}

// maxBatch bounds the messages and the bytes of a Batch: as long as it is with a
// reader, it is kept for that alone.
const (
	maxBatch      = 64
	maxBatchBytes = 256 << 10
)

// Reader gets the messages of one pattern. It belongs to one goroutine, which closes
// it.
type Reader struct {
	hub   *Hub
	of    filter
	ready chan struct{} // room for one

	// Guarded by Hub.mu.
	queue     []uint64 // numbers of messages, in the window or not any more
	lost      uint64
	forgotten bool
}

// Subscribe returns a reader of the topics of a server that a pattern has. after is
// the ID of the message after which to resume, as far as the window goes back; empty
// is from now on.
func (h *Hub) Subscribe(server, pattern, after string) *Reader {
	r := &Reader{hub: h, of: filter{server, pattern}, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[r.of]
	if g == nil {
		g = &group{readers: map[*Reader]struct{}{}}
		h.groups[r.of] = g
	}
	g.readers[r] = struct{}{}
	if after != "" {
		r.resume(after)
	}
	r.wake()
	return r
}

// resume queues what has come since a message. The hub's lock is held.
func (r *Reader) resume(after string) {
	w := &r.hub.window
	last, err := r.hub.seqOf(after)
	r.forgotten = err != nil || last >= w.next() || last+1 < w.first
	for _, m := range w.ring {
		if (r.forgotten || m.seq > last) && r.of.has(m) {
			r.queue = append(r.queue, m.seq)
		}
	}
}

// trim bounds the queue: what is older than the window is lost in any case. The
// hub's lock is held.
func (r *Reader) trim() {
	if over := len(r.queue) - WindowMessages; over > 0 {
		r.queue = r.queue[over:]
		r.lost += uint64(over)
	}
}

func (r *Reader) wake() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// Next waits for something to tell. It returns ErrClosed when the hub has come to
// its end, and ctx's error when that ends first.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	for {
		b, over := r.take()
		if b.Lost > 0 || b.Forgotten || len(b.Messages) > 0 {
			return b, nil
		}
		if over {
			return b, ErrClosed
		}
		select {
		case <-r.ready:
		case <-ctx.Done():
			return b, ctx.Err()
		}
	}
}

func (r *Reader) take() (b Batch, over bool) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	bytes := 0
	for len(r.queue) > 0 && len(b.Messages) < maxBatch && bytes < maxBatchBytes {
		if m := h.window.get(r.queue[0]); m != nil {
			b.Messages = append(b.Messages, m)
			bytes += len(m.Data)
		} else {
			r.lost++
		}
		r.queue = r.queue[1:]
	}
	if len(r.queue) == 0 {
		r.queue = nil
	}
	b.Lost, b.Forgotten = r.lost, r.forgotten
	r.lost, r.forgotten = 0, false
	return b, h.over
}

// Close gives the reader up.
func (r *Reader) Close() {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[r.of]
	if g == nil {
		return
	}
	if delete(g.readers, r); len(g.readers) == 0 {
		delete(h.groups, r.of)
	}
}
