package etf

import (
	"encoding/binary"
	"fmt"
)

// cursor walks encoded terms. The first error stays, and puts the cursor at
// the end so that whatever is read after it is empty; loops look at err.
type cursor struct {
	b   []byte
	i   int
	err error

	// depth counts the containers that are open, of maxDepth.
	depth, maxDepth int
	// promised counts the elements that the headers of open containers have
	// announced and that have not been read. Each takes a byte at least.
	promised int
	// records and maps say that a native record, or a map, has been passed over.
	records, maps bool
	// refs is what atom cache references stand for, and referred how many bytes of
	// atoms they have stood for so far.
	refs     []Term
	referred int
}

func (c *cursor) fail(cause error, format string, args ...any) {
	if c.err == nil {
		c.err = &SyntaxError{Offset: c.i, What: fmt.Sprintf(format, args...), Cause: cause}
	}
	c.i = len(c.b)
}

// truncated is kept out of line so that u8, which calls it, is not.
//
//go:noinline
func (c *cursor) truncated() { c.fail(ErrTruncated, "input ends inside a term") }

// take returns the next n bytes, which belong to the caller of the Decoder.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b)-c.i {
		c.truncated()
		return nil
	}
	c.i += n
	return c.b[c.i-n : c.i]
}

func (c *cursor) u8() (v byte) {
	if c.i < len(c.b) {
		v = c.b[c.i]
		c.i++
	} else {
		c.truncated()
	}
	return v
}

func (c *cursor) u16() int {
	if len(c.b)-c.i < 2 {
		c.truncated()
		return 0
	}
	c.i += 2
	return int(binary.BigEndian.Uint16(c.b[c.i-2:]))
}

func (c *cursor) u32() uint32 {
	if len(c.b)-c.i < 4 {
		c.truncated()
		return 0
	}
	c.i += 4
	return binary.BigEndian.Uint32(c.b[c.i-4:])
}

func (c *cursor) u64() uint64 {
	if len(c.b)-c.i < 8 {
		c.truncated()
		return 0
	}
	c.i += 8
	return binary.BigEndian.Uint64(c.b[c.i-8:])
}

// length reads a u32 that counts bytes, or things of a byte at least, and
// refuses one that the input cannot hold.
func (c *cursor) length() int {
	n := c.u32()
	if uint64(n) > uint64(len(c.b)-c.i) {
		c.truncated()
		return 0
	}
	return int(n)
}

// digits reads how many bytes a large integer has.
func (c *cursor) digits() int {
	n := c.length()
	if n > maxDigits {
		c.fail(nil, "integer of %d bytes", n)
		return 0
	}
	return n
}

// promise notes n elements that a header announces, before anything is
// allocated for them. Without it, a list that claims all the bytes left, with
// such a list as its first element and so on, would take depth times as much.
func (c *cursor) promise(n int) bool {
	if c.promised += n; c.promised > len(c.b)-c.i {
		c.truncated()
	}
	return c.err == nil
}

// enter opens a container.
func (c *cursor) enter() bool {
	if c.depth >= c.maxDepth {
		c.fail(ErrDepth, "more than %d containers deep", c.maxDepth)
		return false
	}
	c.depth++
	return c.err == nil
}

func (c *cursor) leave() { c.depth-- }

// wrongTag fails for a tag that was just read and has no place here.
func (c *cursor) wrongTag(tag byte, want string) {
	if c.err != nil {
		return
	}
	c.i--
	switch tag {
	case tagCompressed:
		c.fail(ErrCompressed, "compressed term: not accepted between nodes")
	case tagLocal:
		c.fail(ErrLocal, "local form of a term: not accepted between nodes")
	default:
		c.fail(ErrTag, "tag %d: want %s", tag, want)
	}
}
