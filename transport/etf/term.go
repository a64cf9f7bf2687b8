// Package etf is the Erlang external term format: Go values for Erlang terms,
// and their bytes. It is lossless: what a node sends and ehc sends back is =:=
// equal there.
//
// An Erlang term is held in a Term, which is one of
//
//	int                     integers that fit an int
//	*big.Int                all other integers
//	float64                 floats; always finite
//	Atom                    atoms, true and false included
//	string                  binaries: an Elixir string is one
//	BitString               bit strings that are not binaries
//	Tuple                   tuples
//	List                    proper lists; [] is an empty one
//	ImproperList            [a | b]
//	Map                     maps, in the order received, with any keys
//	Pid, Ref, Port          identifiers
//	Export                  fun M:F/A
//	Opaque                  funs and native records, kept as their bytes
//
// Decode gives only these. Append also takes bool, the other Go integers,
// []byte (a binary) and Raw (a term already encoded). From and Into go between
// terms and Go values of other types, such as structs with tags.
package etf

import "math/big"

// Term is any of the types in the package comment.
type Term = any

// Atom is an Erlang atom in UTF-8: at most 255 characters.
type Atom string

// Tuple is a tuple.
type Tuple []Term

// List is a proper list. The list [1,2,3] and the Erlang string "\1\2\3" are
// the same term.
type List []Term

// ImproperList is a list whose tail is not a list; Elems is never empty.
type ImproperList struct {
	Elems []Term
	Tail  Term
}

// Pair is one entry of a map.
type Pair struct{ Key, Value Term }

// Map is a map: its entries in the order in which they came, so that keys of
// any type are kept. The same key twice is an error of whoever built it, for
// which a peer closes the connection.
type Map []Pair

// Get returns the value under key. It compares keys of comparable types, which
// is enough for atoms, binaries and small integers.
func (m Map) Get(key Term) (Term, bool) {
	for _, p := range m {
		if comparable(p.Key) && comparable(key) && p.Key == key {
			return p.Value, true
		}
	}
	return nil, false
}

func comparable(t Term) bool {
	switch t.(type) {
	case int, float64, Atom, string, Pid, Ref, Port, Export, BitString, Opaque:
		return true
	}
	return false
}

// BitString holds bits whose number is no multiple of eight: Bits (1 to 7) is
// how many of the last byte's high bits count.
type BitString struct {
	Bytes string
	Bits  uint8
}

// Pid names a process. ID and Serial are opaque; equality includes Creation.
type Pid struct {
	Node                 Atom
	ID, Serial, Creation uint32
}

// Ref is a reference of 1 to 5 words (Len), all of which count.
type Ref struct {
	Node     Atom
	Creation uint32
	Len      uint8
	ID       [5]uint32
}

// Port names a port.
type Port struct {
	Node     Atom
	ID       uint64
	Creation uint32
}

// Export is fun Module:Function/Arity.
type Export struct {
	Module, Function Atom
	Arity            int
}

// Opaque is a term that ehc carries but does not look into: a local fun or a
// native record of OTP 29, as its external bytes from the tag on.
type Opaque string

// Raw is a term already encoded, from its tag on and without the leading 131.
// Append copies it as it is.
type Raw []byte

var _ Term = (*big.Int)(nil)
