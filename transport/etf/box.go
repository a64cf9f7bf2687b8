package etf

import "unsafe"

// A string, tuple or map in a Term is a pointer to a header, which points to what
// is in it: two allocations. Most are short, and decoding costs little else than
// allocations. So the header of a short one is allocated together with what it
// points to. That takes unsafe, since Go's own conversion to an interface copies
// the header; nothing else here does, and nothing writes to what has been boxed.

// iface is how Go lays out an interface without methods.
type iface struct{ kind, data unsafe.Pointer }

// boxed makes like's type an interface around the header at p, which is of that type.
func boxed(like Term, p unsafe.Pointer) Term {
	(*iface)(unsafe.Pointer(&like)).data = p
	return like
}

type (
	text16 struct {
		head string
		text [16]byte
	}
	text32 struct {
		head string
		text [32]byte
	}
	text48 struct {
		head string
		text [48]byte
	}
)

// boxText returns a copy of b as a string in a Term.
func boxText(b []byte) Term {
	switch n := len(b); {
	case n == 0:
		return ""
	case n <= 16:
		x := new(text16)
		x.head = unsafe.String(&x.text[0], copy(x.text[:], b))
		return boxed("", unsafe.Pointer(&x.head))
	case n <= 32:
		x := new(text32)
		x.head = unsafe.String(&x.text[0], copy(x.text[:], b))
		return boxed("", unsafe.Pointer(&x.head))
	case n <= 48:
		x := new(text48)
		x.head = unsafe.String(&x.text[0], copy(x.text[:], b))
		return boxed("", unsafe.Pointer(&x.head))
	}
	return string(b)
}

type (
	tuple1 struct {
		head  Tuple
		elems [1]Term
	}
	tuple2 struct {
		head  Tuple
		elems [2]Term
	}
	tuple4 struct {
		head  Tuple
		elems [4]Term
	}
	tuple6 struct {
		head  Tuple
		elems [6]Term
	}
)

// boxTuple returns a new tuple of n elements, to be filled in, and as a Term.
func boxTuple(n int) (Tuple, Term) {
	switch {
	case n <= 1: // two bytes on the wire: nothing takes more memory for each of its bytes
		x := new(tuple1)
		x.head = x.elems[:n:n]
		return x.head, boxed(Tuple(nil), unsafe.Pointer(&x.head))
	case n <= 2:
		x := new(tuple2)
		x.head = x.elems[:n:n]
		return x.head, boxed(Tuple(nil), unsafe.Pointer(&x.head))
	case n <= 4:
		x := new(tuple4)
		x.head = x.elems[:n:n]
		return x.head, boxed(Tuple(nil), unsafe.Pointer(&x.head))
	case n <= 6:
		x := new(tuple6)
		x.head = x.elems[:n:n]
		return x.head, boxed(Tuple(nil), unsafe.Pointer(&x.head))
	}
	t := make(Tuple, n)
	return t, t
}

type (
	map2 struct {
		head  Map
		pairs [2]Pair
	}
	map4 struct {
		head  Map
		pairs [4]Pair
	}
	map8 struct {
		head  Map
		pairs [8]Pair
	}
)

// boxMap returns a new map of n entries, to be filled in, and as a Term.
func boxMap(n int) (Map, Term) {
	switch {
	case n <= 2:
		x := new(map2)
		x.head = x.pairs[:n:n]
		return x.head, boxed(Map(nil), unsafe.Pointer(&x.head))
	case n <= 4:
		x := new(map4)
		x.head = x.pairs[:n:n]
		return x.head, boxed(Map(nil), unsafe.Pointer(&x.head))
	case n <= 8:
		x := new(map8)
		x.head = x.pairs[:n:n]
		return x.head, boxed(Map(nil), unsafe.Pointer(&x.head))
	}
	m := make(Map, n)
	return m, m
}
