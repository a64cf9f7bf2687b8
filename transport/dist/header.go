package dist

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ehc/transport/etf"
)

// A connection on which both ends offer DIST_HDR_ATOM_CACHE has a header in every
// packet, which names the atoms of its terms (erl_ext_dist, "Normal Distribution
// Header"). Each end keeps a cache of the atoms that it has sent and one of those
// that it was sent, of 8 segments of 256 slots:
//
//	131 | 68 | n:u8 | flags | n entries | control tuple | payload
//
//	flags    missing if n is 0; else n+1 half bytes, the low one of a byte first:
//	         for each entry 8, if it is new, + segment; at last 1 if lengths are u16
//	entry    new: slot:u8 length:u8 text    known: slot:u8
//
// The flags fill whole bytes. In the terms, ATOM_CACHE_REF and i stand for entry i.
const (
	headed     = 68
	maxEntries = 255
	segments   = 8
	slots      = 256
	newEntry   = 8
	longAtoms  = 1
)

// HeaderReader reads the packets of one connection that have a header, in the order
// in which they come. It is for one goroutine.
type HeaderReader struct {
	d     *etf.Decoder
	cache [segments * slots]etf.Term
	atoms []etf.Term // of the last packet
}

// NewHeaderReader returns a reader with an empty cache. d is the connection's
// decoder: payloads are to be read with it, and before the next Parse.
func NewHeaderReader(d *etf.Decoder) *HeaderReader { return &HeaderReader{d: d} }

// Parse is the function Parse for a packet with a header. After an error, which wraps
// ErrControl, the cache is not what the peer takes it for: the connection is of no use.
func (h *HeaderReader) Parse(packet []byte) (Control, error) {
	if len(packet) < 3 || packet[0] != version || packet[1] != headed {
		return Control{}, fmt.Errorf("%w: packet that begins with %.2x", ErrControl, packet)
	}
	rest, err := h.header(packet[2:])
	if err != nil {
		return Control{}, fmt.Errorf("%w: header: %w", ErrControl, err)
	}
	h.d.Refs(h.atoms)
	p := parser{d: h.d, rest: rest, headed: true}
	return p.parse()
}

var errShortHeader = errors.New("ends too early")

// header reads n, flags and entries, and returns what follows.
func (h *HeaderReader) header(b []byte) (rest []byte, err error) {
	n := int(b[0])
	h.atoms = h.atoms[:0]
	if n == 0 {
		return b[1:], nil
	}
	size := n/2 + 1
	if len(b) < 1+size {
		return nil, errShortHeader
	}
	flags, rest := b[1:1+size], b[1+size:]
	long := half(flags, n)&longAtoms != 0
	for i := range n {
		if rest, err = h.entry(half(flags, i), long, rest); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return rest, nil
}

func half(flags []byte, i int) byte { return flags[i/2] >> (i % 2 * 4) & 15 }

func (h *HeaderReader) entry(flags byte, long bool, b []byte) (rest []byte, err error) {
	if len(b) == 0 {
		return nil, errShortHeader
	}
	slot, b := int(flags%segments)*slots+int(b[0]), b[1:]
	atom := &h.cache[slot]
	if flags&newEntry != 0 {
		text, after, err := entryText(long, b)
		if err != nil {
			return nil, err
		}
		if *atom, err = h.d.Intern(text); err != nil {
			return nil, err
		}
		b = after
	}
	if *atom == nil {
		return nil, fmt.Errorf("nothing in slot %d", slot)
	}
	h.atoms = append(h.atoms, *atom)
	return b, nil
}

func entryText(long bool, b []byte) (text, rest []byte, err error) {
	var n int
	switch {
	case long && len(b) >= 2:
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	case !long && len(b) >= 1:
		n, b = int(b[0]), b[1:]
	default:
		return nil, nil, errShortHeader
	}
	if n > len(b) {
		return nil, nil, errShortHeader
	}
	return b[:n], b[n:], nil
}
