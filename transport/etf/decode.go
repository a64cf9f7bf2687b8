package etf

import "strings"

// Decoder reads terms. It remembers atoms and short map keys between terms, so
// that they are allocated once; make one for each connection and use it from
// one goroutine at a time. It needs no closing.
//
// All that it returns is a copy: the input may be used again at once. Terms
// may share atoms, map keys, small integers and empty containers with each
// other.
type Decoder struct {
	cursor
	leaves
	limits Limits
	atoms  table
	keys   table
	refs   []Term // what atom cache references stand for
	latin1 []byte // the text of the last Latin-1 atom
}

// NewDecoder returns a Decoder with the limits l.
func NewDecoder(l Limits) *Decoder {
	return &Decoder{limits: l, atoms: table{max: l.Atoms}, keys: table{max: l.Keys}}
}

// Decode reads a term that stands alone: 131, one term and nothing else. It is
// for the odd term; a connection wants a Decoder. An error is a *SyntaxError.
func Decode(b []byte) (Term, error) {
	if len(b) == 0 || b[0] != version {
		return nil, &SyntaxError{What: "no 131 at the start"}
	}
	d := Decoder{limits: Limits{}}
	d.begin(b)
	d.i = 1
	t := d.term()
	if d.err == nil && d.i < len(b) {
		d.fail(ErrTrailing, "%d bytes after the term", len(b)-d.i)
	}
	if d.err != nil {
		return nil, d.err
	}
	return t, nil
}

// Term reads the term at the start of b, which begins with its tag and not
// with 131, and returns what follows it. An error is a *SyntaxError.
func (d *Decoder) Term(b []byte) (t Term, rest []byte, err error) {
	d.begin(b)
	t = d.term()
	if rest, err = d.end(); err != nil {
		return nil, nil, err
	}
	return t, rest, nil
}

func (d *Decoder) begin(b []byte) {
	d.cursor = cursor{b: b, maxDepth: d.limits.depth(), refs: d.refs}
}

// end lets go of the input and returns what is left of it.
func (d *Decoder) end() (rest []byte, err error) {
	rest, err = d.b[d.i:], d.err
	d.cursor = cursor{}
	if err != nil {
		return nil, err
	}
	return rest, nil
}

// term reads a tag and its term; nil if there is an error. Where the tag is missing
// u8 gives 0, which is no tag.
func (d *Decoder) term() Term {
	return d.tagged(d.u8())
}

// tagged reads the rest of a term whose tag has been read.
func (d *Decoder) tagged(tag byte) Term {
	switch tag {
	case tagSmallInt:
		return d.boxInt(int(d.u8()))
	case tagInt:
		return d.boxInt(int(int32(d.u32())))
	case tagSmallBig:
		return d.big(int(d.u8()))
	case tagLargeBig:
		return d.big(d.digits())
	case tagFloat, tagFloatText:
		return d.float(tag)
	case tagSmallAtom:
		return d.smallAtom()
	case tagCacheRef, tagAtom, tagSmallAtomLatin1, tagAtomLatin1:
		return d.atom(tag)
	case tagBinary:
		return d.boxText(d.take(d.length()))
	case tagSmallTuple:
		return d.tuple(int(d.u8()))
	case tagTuple:
		return d.tuple(d.length())
	case tagNil:
		return emptyList
	case tagString:
		return d.stringList()
	case tagList:
		return d.list()
	case tagMap:
		return d.mapping()
	case tagBitBinary:
		return d.bits()
	case tagNewPid, tagPid:
		return d.pid(tag)
	case tagNewRef, tagRef, tagRefOne:
		return d.ref(tag)
	case tagV4Port, tagNewPort, tagPort:
		return d.port(tag)
	case tagExport:
		return d.export()
	case tagNewFun, tagRecord:
		return d.opaque(tag)
	}
	d.wrongTag(tag, "a term")
	return nil
}

// bits reads a bit string. Some writers give whole bytes this form too: eight
// bits in the last byte, or no bytes and no bits.
func (d *Decoder) bits() Term {
	b, n := d.bitBytes()
	if n == 0 || n == 8 {
		return string(b)
	}
	last := len(b) - 1
	if b[last]&^lastBits(n) == 0 {
		return BitString{Bytes: string(b), Bits: n}
	}
	var s strings.Builder
	s.Grow(len(b))
	s.Write(b[:last])
	s.WriteByte(b[last] & lastBits(n))
	return BitString{Bytes: s.String(), Bits: n}
}

// opaque reads a term that is kept as its bytes, after a walk through them: a
// broken one would make the next peer close its connection.
func (d *Decoder) opaque(tag byte) Term {
	from := d.i - 1
	d.skipTagged(tag)
	if d.err != nil {
		return nil
	}
	if len(d.refs) > 0 {
		return Opaque(d.appendInline(nil, d.b[from:d.i]))
	}
	return Opaque(d.b[from:d.i])
}
