package etf

import "unsafe"

// A string, tuple or map in a Term is a pointer to a header, which points to what
// is in it: two allocations, and a number is one. Most are small, and decoding costs
// little else than allocations. So the header of a small tuple or map is allocated
// together with what it points to, and short texts and numbers several at a time.
// That takes unsafe, since Go's own conversion to an interface copies what it is given;
// nothing else here does, and nothing writes to what has been boxed.

// iface is how Go lays out an interface without methods.
type iface struct{ kind, data unsafe.Pointer }

// boxed makes like's type an interface around what is at p, which is of that type.
func boxed(like Term, p unsafe.Pointer) Term {
	(*iface)(unsafe.Pointer(&like)).data = p
	return like
}

// leaves is memory for short texts and for numbers that are to come. No text or
// number points to another term: whoever keeps one keeps the few beside it, which is
// less than a kilobyte, and nothing that they came with.
type leaves struct {
	ints   slab[int]
	floats slab[float64]
	heads  slab[string]
	text   []byte
}

// slab is places for values of one type, the used ones cut off.
type slab[T any] []T

// place returns where v is now.
func (s *slab[T]) place(v T) unsafe.Pointer {
	if len(*s) == 0 {
		*s = make([]T, 8)
	}
	at := &(*s)[0]
	*at, *s = v, (*s)[1:]
	return unsafe.Pointer(at)
}

// boxInt returns n as a Term.
func (l *leaves) boxInt(n int) Term {
	if n >= minBoxed && n <= maxBoxed {
		return boxedInts[n-minBoxed]
	}
	return boxed(0, l.ints.place(n))
}

// boxFloat returns f as a Term.
func (l *leaves) boxFloat(f float64) Term { return boxed(0.0, l.floats.place(f)) }

// maxShort is the length up to which texts share memory.
const maxShort = 48

// boxText returns a copy of b as a string in a Term.
func (l *leaves) boxText(b []byte) Term {
	n := len(b)
	if n == 0 || n > maxShort {
		return string(b)
	}
	if n > len(l.text) {
		l.text = make([]byte, 256)
	}
	s := unsafe.String(&l.text[0], copy(l.text, b))
	l.text = l.text[n:]
	return boxed("", l.heads.place(s))
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
		return x.head, boxed(emptyTuple, unsafe.Pointer(&x.head))
	case n <= 2:
		x := new(tuple2)
		x.head = x.elems[:n:n]
		return x.head, boxed(emptyTuple, unsafe.Pointer(&x.head))
	case n <= 4:
		x := new(tuple4)
		x.head = x.elems[:n:n]
		return x.head, boxed(emptyTuple, unsafe.Pointer(&x.head))
	case n <= 6:
		x := new(tuple6)
		x.head = x.elems[:n:n]
		return x.head, boxed(emptyTuple, unsafe.Pointer(&x.head))
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
		return x.head, boxed(emptyMap, unsafe.Pointer(&x.head))
	case n <= 4:
		x := new(map4)
		x.head = x.pairs[:n:n]
		return x.head, boxed(emptyMap, unsafe.Pointer(&x.head))
	case n <= 8:
		x := new(map8)
		x.head = x.pairs[:n:n]
		return x.head, boxed(emptyMap, unsafe.Pointer(&x.head))
	}
	m := make(Map, n)
	return m, m
}
