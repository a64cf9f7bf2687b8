package etf

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// fewKeys is how many keys are compared each with each.
const fewKeys = 16

// span is where a key of a map has been written.
type span struct{ from, to int }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// twice returns the place of a key that stands before it too, or -1.
func twice(b []byte, keys []span) int {
	if len(keys) > fewKeys {
		return twiceOfMany(b, keys)
	}
	for i := 1; i < len(keys); i++ {
		key := keys[i].of(b)
		for _, other := range keys[:i] {
			if other.to-other.from == len(key) && bytes.Equal(other.of(b), key) {
				return i
			}
		}
	}
	return -1
}

// twiceOfMany is twice with a hash table of places, from 1 up, half full at most.
// The seed is new each time: whoever chooses the keys cannot make them collide.
func twiceOfMany(b []byte, keys []span) int {
	table := make([]int32, 1<<bits.Len(uint(2*len(keys))))
	mask := uint64(len(table) - 1)
	seed := maphash.MakeSeed()
	for i := range keys {
		key := keys[i].of(b)
		at := maphash.Bytes(seed, key) & mask
		for ; table[at] != 0; at = (at + 1) & mask {
			if bytes.Equal(keys[table[at]-1].of(b), key) {
				return i
			}
		}
		table[at] = int32(i + 1)
	}
	return -1
}
