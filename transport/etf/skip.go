package etf

// Skip returns what follows the term at the start of b, which begins with its
// tag. It accepts exactly what a Decoder with DefaultLimits accepts, and
// allocates nothing. An error is a *SyntaxError.
func Skip(b []byte) (rest []byte, err error) {
	c := cursor{b: b, maxDepth: MaxDepth}
	c.skip()
	if c.err != nil {
		return nil, c.err
	}
	return b[c.i:], nil
}

// Skip is the function Skip for terms with atom cache references in them.
func (d *Decoder) Skip(b []byte) (rest []byte, err error) {
	d.begin(b)
	d.skip()
	return d.end()
}

func (c *cursor) skip() {
	if tag := c.u8(); c.err == nil {
		c.skipTagged(tag)
	}
}

// skipTagged passes over the rest of a term whose tag has been read.
func (c *cursor) skipTagged(tag byte) {
	switch tag {
	case tagSmallInt, tagInt, tagSmallBig, tagLargeBig:
		c.skipInt(tag)
	case tagFloat, tagFloatText:
		c.floatBits(tag)
	case tagCacheRef, tagSmallAtom, tagAtom, tagSmallAtomLatin1, tagAtomLatin1:
		c.skipAtomTagged(tag)
	case tagBinary:
		c.take(c.length())
	case tagBitBinary:
		c.bitBytes()
	case tagNil:
	case tagString:
		c.take(c.u16())
	case tagSmallTuple:
		c.skipInside(int(c.u8()))
	case tagTuple:
		c.skipInside(c.length())
	case tagMap:
		c.maps = true
		c.skipInside(2 * c.length())
	case tagList:
		c.skipList()
	case tagNewPid, tagPid, tagNewRef, tagRef, tagRefOne, tagV4Port, tagNewPort, tagPort:
		c.skipID(tag)
	case tagExport:
		c.skipAtom()
		c.skipAtom()
		c.arity()
	case tagNewFun:
		c.skipNewFun()
	case tagRecord:
		c.records = true
		c.skipRecord()
	default:
		c.wrongTag(tag, "a term")
	}
}

func (c *cursor) skipN(n int) {
	for ; n > 0 && c.err == nil; n-- {
		c.skip()
	}
}

func (c *cursor) skipInside(n int) {
	if c.enter() {
		c.skipN(n)
		c.leave()
	}
}

// skipList passes over a list as Decoder.list reads it, which matters for the
// depth: lists that are tails of lists are no deeper.
func (c *cursor) skipList() {
	if !c.enter() {
		return
	}
	tag := byte(tagList)
	for tag == tagList && c.err == nil {
		c.skipN(c.length())
		tag = c.u8()
	}
	if c.err == nil {
		c.skipTagged(tag)
	}
	c.leave()
}

func (c *cursor) skipInt(tag byte) {
	switch tag {
	case tagSmallInt:
		c.take(1)
	case tagInt:
		c.take(4)
	case tagSmallBig:
		c.take(1 + int(c.u8()))
	case tagLargeBig:
		c.take(1 + c.digits())
	default:
		c.wrongTag(tag, "an integer")
	}
}

// bitBytes reads a bit string: its bytes and how many bits of the last count.
func (c *cursor) bitBytes() ([]byte, uint8) {
	n, bits := c.length(), c.u8()
	if c.err == nil && (bits > 8 || (bits == 0) != (n == 0)) {
		c.fail(nil, "bit string of %d bytes with %d bits in the last", n, bits)
	}
	b := c.take(n)
	if c.err != nil {
		return nil, 0
	}
	return b, bits
}

func (c *cursor) skipAtom() { c.skipAtomTagged(c.u8()) }

func (c *cursor) skipAtomTagged(tag byte) {
	if tag == tagCacheRef {
		c.cached()
		return
	}
	text := c.atomText(tag)
	switch {
	case tag == tagAtom || tag == tagSmallAtom:
		c.checkAtom(text)
	case len(text) > maxAtomChars:
		c.fail(nil, "atom of %d characters", len(text))
	}
}
