package dist

import (
	"encoding/binary"
	"hash/maphash"

	"ehc/transport/etf"
)

const (
	// searched is how many bytes of a payload are searched for atoms, which takes a
	// millisecond or two at most: a batch of events is mostly the same few atoms, and
	// its receiver spends four times as long on it where they are written out.
	searched = 1 << 20
	// growth is how many bytes a frame grows by at most: each entry has a slot, the
	// length of a text that comes out of a term, and half a byte of flags.
	growth = 3 * maxEntries
	// kept is how much memory a connection keeps for the next packet.
	kept = 256 << 10
)

// used is how many slots of the peer's cache are used. There are more, but the atoms
// that are sent to one peer again and again are few.
const used = 2 * slots

// HeaderWriter gives the frames of one connection their headers, in the order in
// which they are sent: what has been converted has to be sent, or the peer's cache is
// not what this one takes it for. It is for one goroutine.
type HeaderWriter struct {
	seed    maphash.Seed
	cache   [used]sent
	max     int    // bytes of the longest frame
	packet  uint64 // counts packets
	plain   bool   // the packet gets no entries
	entries []entry
	head    []byte // memory, as is terms
	terms   []byte
}

// sent is an atom that the peer has in its cache.
type sent struct {
	text   string
	packet uint64 // that had it last
	number byte   // there
}

type entry struct {
	slot  int
	fresh bool
}

// NewHeaderWriter returns a writer for a peer whose cache is empty and that takes
// frames of at most max bytes. None grows beyond: one that might keeps its atoms.
func NewHeaderWriter(max int) *HeaderWriter { return &HeaderWriter{seed: maphash.MakeSeed(), max: max} }

// Convert makes a sealed frame of this package's builders one with a header, in two
// pieces, to be sent one after the other: the second is part of frame and may be
// empty, the first is valid until the next call. A tick stays as it is.
func (h *HeaderWriter) Convert(frame []byte) (head, rest []byte) {
	if len(frame) <= prefixLen {
		return frame, nil
	}
	if cap(h.head) > kept {
		h.head, h.terms = nil, nil
	}
	h.packet++
	h.plain = len(frame)-prefixLen+growth > h.max
	h.entries = h.entries[:0]
	h.terms, rest = etf.AppendRefs(h.terms[:0], frame[prefixLen+2:], len(frame), h.refer)
	if len(rest) > 0 {
		h.terms, rest = etf.AppendRefs(h.terms, rest[1:], searched, h.refer) // without 131
	}
	h.head = append(h.appendHeader(append(h.head[:0], 0, 0, 0, 0)), h.terms...)
	binary.BigEndian.PutUint32(h.head, uint32(len(h.head)-prefixLen+len(rest)))
	return h.head, rest
}

// refer returns the number of the header's entry for an atom, and makes one. It has
// none for an atom that comes when all are given out, or whose slots are taken by
// others of this very packet, nor for the empty one, which is no longer than that.
func (h *HeaderWriter) refer(atom []byte) (byte, bool) {
	if h.plain || len(atom) == 0 { // the empty one is what empty slots seem to hold
		return 0, false
	}
	slot := h.slot(atom)
	s := &h.cache[slot]
	fresh := s.text != string(atom)
	switch here := s.packet == h.packet; {
	case here && !fresh:
		return s.number, true
	case here, len(h.entries) == maxEntries:
		return 0, false
	case fresh:
		s.text = string(atom)
	}
	s.packet, s.number = h.packet, byte(len(h.entries))
	h.entries = append(h.entries, entry{slot, fresh})
	return s.number, true
}

// slot returns where an atom is, or else the one of its two places that has not been
// needed for longer.
func (h *HeaderWriter) slot(atom []byte) int {
	one := int(maphash.Bytes(h.seed, atom) % used)
	other := one ^ 1
	switch a, b := &h.cache[one], &h.cache[other]; {
	case a.text == string(atom):
		return one
	case b.text == string(atom), b.packet < a.packet:
		return other
	}
	return one
}

func (h *HeaderWriter) appendHeader(b []byte) []byte {
	n := len(h.entries)
	b = append(b, version, headed, byte(n))
	if n == 0 {
		return b
	}
	at := len(b)
	for range n/2 + 1 {
		b = append(b, 0)
	}
	for i, e := range h.entries {
		flags := byte(e.slot / slots)
		if e.fresh {
			flags |= newEntry
		}
		b[at+i/2] |= flags << (i % 2 * 4)
		b = append(b, byte(e.slot%slots))
		if text := h.cache[e.slot].text; e.fresh {
			b = append(append(b, byte(len(text))), text...)
		}
	}
	return b
}
