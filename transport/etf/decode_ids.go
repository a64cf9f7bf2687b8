package etf

import (
	"math"
	"unicode/utf8"
)

// atom reads an atom whose tag has been read, boxed, from the table if it has
// been seen before.
func (d *Decoder) atom(tag byte) Term {
	if tag == tagCacheRef {
		return d.cached()
	}
	text := d.atomText(tag)
	if tag == tagAtomLatin1 || tag == tagSmallAtomLatin1 {
		text = d.fromLatin1(text)
	}
	if d.err != nil {
		return nil
	}
	return d.known(text)
}

// known returns the atom of a text, from the table if it has been seen before.
func (d *Decoder) known(text []byte) Term {
	if t, ok := d.atoms.get(text); ok {
		return t
	}
	if d.checkAtom(text); d.err != nil {
		return nil
	}
	s := string(text)
	t := Term(Atom(s))
	d.atoms.put(s, t)
	return t
}

// smallAtom reads the form that nearly all atoms have. One that was found lately is
// found without a step more than that takes.
func (d *Decoder) smallAtom() Term {
	if d.atoms.recent != nil && d.i < len(d.b) {
		if end := d.i + 1 + int(d.b[d.i]); end <= len(d.b) {
			text := d.b[d.i+1 : end]
			if k := &d.atoms.recent[slot(text)]; k.text == string(text) && k.term != nil {
				d.i = end
				return k.term
			}
		}
	}
	return d.atom(tagSmallAtom)
}

// node reads the atom inside an identifier.
func (d *Decoder) node() Atom {
	a, _ := d.atom(d.u8()).(Atom)
	return a
}

// atomText reads the text of an atom whose tag has been read, in the encoding
// that the tag says and not yet checked.
func (c *cursor) atomText(tag byte) []byte {
	switch tag {
	case tagSmallAtom, tagSmallAtomLatin1:
		return c.take(int(c.u8()))
	case tagAtom, tagAtomLatin1:
		return c.take(c.u16())
	}
	c.wrongTag(tag, "an atom")
	return nil
}

// checkAtom fails unless text is UTF-8 of at most 255 characters.
func (c *cursor) checkAtom(text []byte) {
	if isPlain(text) {
		return
	}
	if !utf8.Valid(text) {
		c.fail(nil, "atom that is not UTF-8")
		return
	}
	if n := utf8.RuneCount(text); n > maxAtomChars {
		c.fail(nil, "atom of %d characters", n)
	}
}

// fromLatin1 returns text in UTF-8, valid until the next call.
func (d *Decoder) fromLatin1(text []byte) []byte {
	d.latin1 = d.latin1[:0]
	if len(text) > maxAtomChars {
		d.fail(nil, "atom of %d characters", len(text))
		return nil
	}
	d.latin1 = appendLatin1(d.latin1, text)
	return d.latin1
}

// appendLatin1 appends text in UTF-8.
func appendLatin1(b, text []byte) []byte {
	for _, c := range text {
		b = utf8.AppendRune(b, rune(c))
	}
	return b
}

func (d *Decoder) pid(tag byte) Term {
	p := d.pidValue(tag)
	if d.err != nil {
		return nil
	}
	return p
}

func (d *Decoder) pidValue(tag byte) Pid {
	switch tag {
	case tagNewPid:
		return Pid{Node: d.node(), ID: d.u32(), Serial: d.u32(), Creation: d.u32()}
	case tagPid:
		return Pid{Node: d.node(), ID: d.u32(), Serial: d.u32(), Creation: uint32(d.u8())}
	}
	d.wrongTag(tag, "a pid")
	return Pid{}
}

func (d *Decoder) ref(tag byte) Term {
	r := d.refValue(tag)
	if d.err != nil {
		return nil
	}
	return r
}

func (d *Decoder) refValue(tag byte) (r Ref) {
	switch tag {
	case tagNewRef, tagRef:
		r.Len = d.refWords()
		r.Node = d.node()
		if tag == tagNewRef {
			r.Creation = d.u32()
		} else {
			r.Creation = uint32(d.u8())
		}
		for i := range r.Len {
			r.ID[i] = d.u32()
		}
	case tagRefOne:
		r.Len, r.Node = 1, d.node()
		r.ID[0], r.Creation = d.u32(), uint32(d.u8())
	default:
		d.wrongTag(tag, "a reference")
	}
	return r
}

// refWords reads how many words a reference has.
func (c *cursor) refWords() uint8 {
	n := c.u16()
	if n < 1 || n > maxRefWords {
		c.fail(nil, "reference of %d words", n)
		return 0
	}
	return uint8(n)
}

func (d *Decoder) port(tag byte) Term {
	p := Port{Node: d.node()}
	switch tag {
	case tagV4Port:
		p.ID, p.Creation = d.u64(), d.u32()
	case tagNewPort:
		p.ID, p.Creation = uint64(d.u32()), d.u32()
	default:
		p.ID, p.Creation = uint64(d.u32()), uint32(d.u8())
	}
	if d.err != nil {
		return nil
	}
	return p
}

func (d *Decoder) export() Term {
	e := Export{Module: d.node(), Function: d.node(), Arity: d.arity()}
	if d.err != nil {
		return nil
	}
	return e
}

// arity reads the arity of an external fun.
func (c *cursor) arity() int {
	n := c.uint()
	if n > math.MaxUint8 {
		c.fail(nil, "fun of arity %d", n)
		return 0
	}
	return int(n)
}
