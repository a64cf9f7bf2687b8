package api

import (
	"crypto/rand"
	"time"
)

// crockford are the digits of a ULID: no I, L, O or U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewEventID mints an id for an event, as of now: a ULID, so that ids sort by the
// millisecond in which they were minted. An event that has one can be emitted again
// after any error, also by a later run of the program, and counts once.
//
//	48 bits  milliseconds since 1970
//	80 bits  random
func NewEventID(now time.Time) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(b[6:]) // crypto/rand ends the process rather than fail
	var id [26]byte         // of 5 bits each, after two that are 0
	for i := range id {
		first := 5*i - 2 // the number of the digit's first bit
		var digit byte
		for bit := first; bit < first+5; bit++ {
			digit <<= 1
			if bit >= 0 {
				digit |= b[bit/8] >> (7 - bit%8) & 1
			}
		}
		id[i] = crockford[digit]
	}
	return string(id[:])
}

// minted gives an id to each event that has none. It leaves events alone.
func minted(events []Event, now time.Time) []Event {
	out := make([]Event, len(events))
	for i, e := range events {
		if e.ID == "" {
			e.ID = NewEventID(now)
		}
		out[i] = e
	}
	return out
}
