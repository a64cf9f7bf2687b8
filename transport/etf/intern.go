package etf

// table keeps terms that come again and again, boxed and under their text, so
// that finding one allocates nothing. It is emptied when it is full: a peer
// that sends ever new atoms costs time, not memory.
type table struct {
	terms map[string]Term
	max   int
}

// get returns the term kept under text.
func (t *table) get(text []byte) (Term, bool) {
	v, ok := t.terms[string(text)]
	return v, ok
}

// put keeps v, whose text is the same as text and not shared with any buffer.
func (t *table) put(text string, v Term) {
	switch {
	case t.max <= 0:
		return
	case t.terms == nil:
		t.terms = make(map[string]Term)
	case len(t.terms) >= t.max:
		clear(t.terms)
	}
	t.terms[text] = v
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

// boxInt returns n as a Term, small ones without an allocation.
func boxInt(n int) Term {
	if n >= minBoxed && n <= maxBoxed {
		return boxedInts[n-minBoxed]
	}
	return n
}
