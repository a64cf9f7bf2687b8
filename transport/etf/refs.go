package etf

import "encoding/binary"

// A packet with a distribution header names its atoms there, each once; in its
// terms ATOM_CACHE_REF and a number stand for an atom (erl_ext_dist, "Distribution
// Header"). Which atom that is, the owner of the connection says.

// maxReferred is how many bytes the atoms may have, together, for which references
// stand in one term. Two bytes can stand for a thousand, and somebody may have to
// write them out again.
const maxReferred = 64 << 20

// Refs says what atom cache references stand for from now on: number i for
// atoms[i], which Intern gave. One that stands for nothing is a *SyntaxError with
// the cause ErrCacheRef. The slice is kept until the next call.
func (d *Decoder) Refs(atoms []Term) { d.refs = atoms }

// Intern returns the atom with a text in UTF-8 as a Term.
func (d *Decoder) Intern(text []byte) (Term, error) {
	d.begin(nil)
	t := d.known(text)
	if _, err := d.end(); err != nil {
		return nil, err
	}
	return t, nil
}

// cached reads the number of a reference and returns its atom, boxed.
func (c *cursor) cached() Term {
	n := int(c.u8())
	switch {
	case c.err != nil:
		return nil
	case n >= len(c.refs):
		c.i -= 2
		c.fail(ErrCacheRef, "atom cache reference that stands for nothing")
		return nil
	}
	t := c.refs[n]
	a, _ := t.(Atom)
	if c.referred += len(a); c.referred > maxReferred {
		c.fail(nil, "atom cache references to more than %d bytes", maxReferred)
		return nil
	}
	return t
}

// AppendRefs appends the term at the start of b, which is well formed, but with
// references in place of the atoms for which refer gives a number. It returns what
// follows the term in b. Atoms that begin after most bytes stay, and so do those
// inside funs: the rest begins there, be it in the middle of the term.
func AppendRefs(out, b []byte, most int, refer func(atom []byte) (byte, bool)) (_, rest []byte) {
	i, copied, behind := 0, 0, 0
	for open := 1; open > 0 && i < most; {
		t := tokenAt(b[i:])
		if t.size == 0 {
			break
		}
		if b[i] == tagSmallAtom {
			if n, ok := refer(b[i+2 : i+t.size]); ok {
				out = append(append(out, b[copied:i]...), tagCacheRef, n)
				copied = i + t.size
			}
		}
		i += t.size + behind
		open += t.terms - 1
		behind = t.behind
	}
	return append(out, b[copied:i]...), b[i:]
}

// appendInline appends terms with their atoms in place of references.
func (c *cursor) appendInline(out, b []byte) []byte {
	const funHead = 1 + 4 + 1 + 16 + 4 + 4 // see skipNewFun
	i, copied, behind := 0, 0, 0
	for i < len(b) {
		t := tokenAt(b[i:])
		switch b[i] {
		case tagCacheRef:
			a, _ := c.refs[b[i+1]].(Atom)
			out = AppendAtom(append(out, b[copied:i]...), a)
			copied = i + t.size
		case tagNewFun: // which says how long it is
			from := len(out) + i - copied
			out = append(out, b[copied:i+funHead]...)
			out = c.appendInline(out, b[i+funHead:i+t.size])
			binary.BigEndian.PutUint32(out[from+1:], uint32(len(out)-from-1))
			copied = i + t.size
		}
		i += t.size + behind
		behind = t.behind
	}
	return append(out, b[copied:]...)
}

// token is the part of a term up to the next tag, or for identifiers to their atom.
type token struct {
	size   int // in bytes; 0 if it is of no known kind
	terms  int // how many terms, or atoms, stand inside
	behind int // bytes of an identifier that follow its atom
}

// tokenAt measures the token at the start of b, which is well formed. Local funs are
// one token.
func tokenAt(b []byte) token {
	u16 := func() int { return int(binary.BigEndian.Uint16(b[1:])) }
	u32 := func() int { return int(binary.BigEndian.Uint32(b[1:])) }
	switch b[0] {
	case tagNil:
		return token{size: 1}
	case tagSmallInt, tagCacheRef:
		return token{size: 1 + 1}
	case tagInt:
		return token{size: 1 + 4}
	case tagFloat:
		return token{size: 1 + 8}
	case tagFloatText:
		return token{size: 1 + 31}
	case tagSmallAtom, tagSmallAtomLatin1:
		return token{size: 1 + 1 + int(b[1])}
	case tagSmallBig:
		return token{size: 1 + 2 + int(b[1])}
	case tagAtom, tagAtomLatin1, tagString:
		return token{size: 1 + 2 + u16()}
	case tagBinary:
		return token{size: 1 + 4 + u32()}
	case tagBitBinary, tagLargeBig:
		return token{size: 1 + 4 + 1 + u32()}
	case tagNewFun:
		return token{size: 1 + u32()}
	case tagSmallTuple:
		return token{size: 1 + 1, terms: int(b[1])}
	case tagTuple:
		return token{size: 1 + 4, terms: u32()}
	case tagList:
		return token{size: 1 + 4, terms: u32() + 1}
	case tagMap:
		return token{size: 1 + 4, terms: 2 * u32()}
	case tagExport:
		return token{size: 1, terms: 3}
	case tagRecord:
		return token{size: 1 + 4 + 1, terms: 2 + 2*u32()}
	}
	return idTokenAt(b)
}

// idTokenAt is tokenAt for identifiers.
func idTokenAt(b []byte) token {
	switch b[0] {
	case tagNewPid:
		return token{size: 1, terms: 1, behind: 4 + 4 + 4}
	case tagPid:
		return token{size: 1, terms: 1, behind: 4 + 4 + 1}
	case tagNewRef:
		return token{size: 1 + 2, terms: 1, behind: 4 + 4*int(b[2])}
	case tagRef:
		return token{size: 1 + 2, terms: 1, behind: 1 + 4*int(b[2])}
	case tagV4Port:
		return token{size: 1, terms: 1, behind: 8 + 4}
	case tagNewPort:
		return token{size: 1, terms: 1, behind: 4 + 4}
	case tagRefOne, tagPort:
		return token{size: 1, terms: 1, behind: 4 + 1}
	}
	return token{}
}
