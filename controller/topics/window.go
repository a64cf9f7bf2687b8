package topics

// window is the last messages, by their numbers: from first up to, and without,
// first+len(ring).
type window struct {
	first uint64 // 0 while there was none
	ring  []*Message
	bytes int
}

// add numbers m and takes it in, and lets go of the oldest that there is no room for.
func (w *window) add(m *Message) {
	if w.first == 0 {
		w.first = 1
	}
	m.seq = w.next()
	w.ring = append(w.ring, m)
	w.bytes += size(m)
	for len(w.ring) > WindowMessages || w.bytes > WindowBytes {
		w.bytes -= size(w.ring[0])
		w.ring[0] = nil
		w.ring = w.ring[1:]
		w.first++
	}
}

func (w *window) next() uint64 { return w.first + uint64(len(w.ring)) }

// get is a message that is still there.
func (w *window) get(seq uint64) *Message {
	if seq < w.first || seq >= w.next() {
		return nil
	}
	return w.ring[seq-w.first]
}

// size is about what a message takes.
func size(m *Message) int { return len(m.Data) + len(m.Topic) + len(m.Event) + 256 }
