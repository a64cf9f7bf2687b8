package etf

// maxKey is the length up to which a binary that is a map key is remembered.
const maxKey = 64

// element reads a term that a header has promised.
func (d *Decoder) element() Term {
	d.promised--
	return d.term()
}

func (d *Decoder) tuple(n int) Term {
	if !d.enter() || !d.promise(n) {
		return nil
	}
	if n == 0 {
		d.leave()
		return emptyTuple
	}
	t, term := boxTuple(n)
	for i := range t {
		if t[i] = d.element(); d.err != nil {
			return nil
		}
	}
	d.leave()
	return term
}

// list reads a list whose tag has been read. A tail that is a list again is
// the same list going on; it is read in a loop, so that a chain of them counts
// as one container. Without any elements the term is the tail itself.
func (d *Decoder) list() Term {
	if !d.enter() {
		return nil
	}
	defer d.leave()
	var elems []Term
	tag := byte(tagList)
	for tag == tagList {
		elems = d.elements(elems)
		d.promised--
		tag = d.u8()
		if d.err != nil {
			return nil
		}
	}
	switch tag {
	case tagNil:
	case tagString:
		elems = d.appendBytes(elems)
	default:
		tail := d.tagged(tag)
		if d.err != nil || len(elems) == 0 {
			return tail
		}
		return ImproperList{Elems: elems, Tail: tail}
	}
	if len(elems) == 0 {
		return emptyList
	}
	return List(elems)
}

// elements reads a length and so many terms, and promises the tail.
func (d *Decoder) elements(elems []Term) []Term {
	n := d.length()
	if !d.promise(n + 1) {
		return nil
	}
	if elems == nil && n > 0 {
		elems = make([]Term, 0, n)
	}
	for range n {
		if elems = append(elems, d.element()); d.err != nil {
			return nil
		}
	}
	return elems
}

func (d *Decoder) stringList() Term {
	elems := d.appendBytes(nil)
	if len(elems) == 0 {
		return emptyList
	}
	return List(elems)
}

// appendBytes reads a length and so many bytes, each an integer.
func (d *Decoder) appendBytes(elems []Term) []Term {
	text := d.take(d.u16())
	if all := len(elems) + len(text); all > cap(elems) { // no more: nothing follows a string
		elems = append(make([]Term, 0, all), elems...)
	}
	for _, c := range text {
		elems = append(elems, boxedInts[int(c)-minBoxed])
	}
	return elems
}

func (d *Decoder) mapping() Term {
	n := d.length()
	if !d.enter() || !d.promise(2*n) {
		return nil
	}
	if n == 0 {
		d.leave()
		return emptyMap
	}
	m, term := boxMap(n)
	for i := range m {
		m[i].Key = d.key()
		if m[i].Value = d.element(); d.err != nil {
			return nil
		}
	}
	d.leave()
	return term
}

// key reads the key of a map, a short binary from the table.
func (d *Decoder) key() Term {
	d.promised--
	tag := d.u8()
	if tag == tagSmallAtom {
		return d.smallAtom()
	}
	if tag != tagBinary || d.limits.Keys <= 0 {
		return d.tagged(tag)
	}
	n := d.length()
	text := d.take(n)
	if n > maxKey {
		return string(text)
	}
	if t, ok := d.keys.get(text); ok {
		return t
	}
	s := string(text)
	t := Term(s)
	d.keys.put(s, t)
	return t
}
