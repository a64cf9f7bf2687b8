package etf

import (
	"encoding/binary"
	"math/bits"
)

// table keeps terms that come again and again, boxed and under their text, so
// that finding one allocates nothing. It is emptied when it is full: a peer
// that sends ever new atoms costs time, not memory.
type table struct {
	terms  map[string]kept
	max    int
	recent *[recents]kept
}

// kept is a term and its text.
type kept struct {
	text string
	term Term
}

// recents is how many terms that were found lately have a slot of their own. Most
// finds are of a few terms, and a slot is quicker than the map, unless two share it.
const (
	recents    = 1 << recentBits
	recentBits = 8
)

// slot is where a term with this text is, if it is among the recent ones.
func slot(text []byte) int {
	n := len(text)
	h := uint64(n)
	switch {
	case n >= 8:
		h += bits.RotateLeft64(binary.LittleEndian.Uint64(text), 31) ^ binary.LittleEndian.Uint64(text[n-8:])
	case n >= 4:
		h += uint64(binary.LittleEndian.Uint32(text))<<32 | uint64(binary.LittleEndian.Uint32(text[n-4:]))
	default:
		for _, c := range text {
			h = h<<8 | uint64(c)
		}
	}
	return int(h * 0x9e3779b97f4a7c15 >> (64 - recentBits))
}

// get returns the term kept under text.
func (t *table) get(text []byte) (Term, bool) {
	if t.recent == nil {
		return nil, false
	}
	at := &t.recent[slot(text)]
	if at.text == string(text) && at.term != nil {
		return at.term, true
	}
	k, ok := t.terms[string(text)]
	if ok {
		*at = k
	}
	return k.term, ok
}

// put keeps v, whose text is the same as text and not shared with any buffer.
func (t *table) put(text string, v Term) {
	switch {
	case t.max <= 0:
		return
	case t.terms == nil:
		t.terms, t.recent = make(map[string]kept), new([recents]kept)
	case len(t.terms) >= t.max:
		clear(t.terms)
		clear(t.recent[:])
	}
	t.terms[text] = kept{text, v}
}

// Terms that are boxed once for all.
var (
	emptyTuple Term = Tuple{}
	emptyList  Term = List{}
	emptyMap   Term = Map{}

	boxedInts = boxInts()
)

// The integers that are boxed once for all.
const minBoxed, maxBoxed = -128, 1023

func boxInts() (t [maxBoxed - minBoxed + 1]Term) {
	for i := range t {
		t[i] = i + minBoxed
	}
	return t
}
