package etf

// skipID passes over a pid, a reference or a port.
func (c *cursor) skipID(tag byte) {
	words := 0
	if tag == tagNewRef || tag == tagRef {
		words = int(c.refWords())
	}
	c.skipAtom()
	switch tag {
	case tagNewPid:
		c.take(4 + 4 + 4)
	case tagPid:
		c.take(4 + 4 + 1)
	case tagNewRef:
		c.take(4 + 4*words)
	case tagRef:
		c.take(1 + 4*words)
	case tagV4Port:
		c.take(8 + 4)
	case tagNewPort:
		c.take(4 + 4)
	case tagRefOne, tagPort:
		c.take(4 + 1)
	}
}

func (c *cursor) skipPid() {
	tag := c.u8()
	if tag != tagNewPid && tag != tagPid {
		c.wrongTag(tag, "a pid")
		return
	}
	c.skipID(tag)
}

// skipNewFun passes over a local fun:
//
//	offset  size
//	     0     4  size, counted from here
//	     4     1  arity
//	     5    16  MD5 of the module's code
//	    21     4  index
//	    25     4  nfree
//	    29        module: atom, old index: integer, old uniq: integer,
//	              creator: pid, nfree terms
func (c *cursor) skipNewFun() {
	from := c.i
	size := c.u32()
	if c.err == nil && (size < 4 || uint64(size) > uint64(len(c.b)-from)) {
		c.truncated()
	}
	if !c.enter() {
		return
	}
	all := c.b
	c.b = all[:from+int(size)]
	c.take(1 + 16 + 4)
	free := c.length()
	c.skipAtom()
	c.skipInt(c.u8())
	c.skipInt(c.u8())
	c.skipPid()
	c.skipN(free)
	if c.err == nil && c.i < len(c.b) {
		c.fail(nil, "fun that is %d bytes shorter than it says", len(c.b)-c.i)
	}
	c.b = all
	if c.err != nil {
		c.i = len(c.b)
	}
	c.leave()
}

// skipRecord passes over a native record of OTP 29: how many fields, flags
// (bit 0: exported), module and name, then all field names, then all values.
func (c *cursor) skipRecord() {
	if !c.enter() {
		return
	}
	n := c.length()
	c.take(1)
	c.skipAtom()
	c.skipAtom()
	for range n {
		if c.skipAtom(); c.err != nil {
			break
		}
	}
	c.skipN(n)
	c.leave()
}
