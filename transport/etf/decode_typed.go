package etf

// The readers of this file are for control messages: they read one term of a
// known type at the start of b, which begins with its tag, and return what
// follows. They box nothing. A term of another type is a *SyntaxError with the
// cause ErrTag.

// Pid reads a pid.
func (d *Decoder) Pid(b []byte) (p Pid, rest []byte, err error) {
	d.begin(b)
	p = d.pidValue(d.u8())
	if rest, err = d.end(); err != nil {
		return Pid{}, nil, err
	}
	return p, rest, nil
}

// Ref reads a reference.
func (d *Decoder) Ref(b []byte) (r Ref, rest []byte, err error) {
	d.begin(b)
	r = d.refValue(d.u8())
	if rest, err = d.end(); err != nil {
		return Ref{}, nil, err
	}
	return r, rest, nil
}

// Atom reads an atom.
func (d *Decoder) Atom(b []byte) (a Atom, rest []byte, err error) {
	d.begin(b)
	a = d.node()
	if rest, err = d.end(); err != nil {
		return "", nil, err
	}
	return a, rest, nil
}

// PidOrAtom reads what monitors watch: a pid, or the atom under which one is
// registered. isAtom says which of the two it was.
func (d *Decoder) PidOrAtom(b []byte) (p Pid, a Atom, isAtom bool, rest []byte, err error) {
	if len(b) > 0 && (b[0] == tagNewPid || b[0] == tagPid) {
		p, rest, err = d.Pid(b)
		return p, "", false, rest, err
	}
	a, rest, err = d.Atom(b)
	return Pid{}, a, err == nil, rest, err
}

// Uint reads an integer of 0 to 2^64-1.
func (d *Decoder) Uint(b []byte) (n uint64, rest []byte, err error) {
	d.begin(b)
	n = d.uint()
	if rest, err = d.end(); err != nil {
		return 0, nil, err
	}
	return n, rest, nil
}

// TupleHeader reads what stands before the elements of a tuple; rest begins
// with the first of them. The arity is never more than the bytes in rest.
func (d *Decoder) TupleHeader(b []byte) (arity int, rest []byte, err error) {
	d.begin(b)
	switch tag := d.u8(); tag {
	case tagSmallTuple:
		arity = int(d.u8())
	case tagTuple:
		arity = d.length()
	default:
		d.wrongTag(tag, "a tuple")
	}
	d.promise(arity)
	if rest, err = d.end(); err != nil {
		return 0, nil, err
	}
	return arity, rest, nil
}
