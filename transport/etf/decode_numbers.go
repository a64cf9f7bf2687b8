package etf

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// big reads a sign and n digits of base 256, the lowest first. Leading zeros
// and values that have a shorter form are accepted, as nodes do.
func (d *Decoder) big(n int) Term {
	neg, digits := d.u8() != 0, d.take(n)
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	if len(digits) <= 8 {
		if v, ok := fitInt(magnitude(digits), neg); ok {
			return d.boxInt(v)
		}
	}
	const word = bits.UintSize / 8
	words := make([]big.Word, (len(digits)+word-1)/word)
	for i, c := range digits {
		words[i/word] |= big.Word(c) << (8 * (i % word))
	}
	v := new(big.Int).SetBits(words)
	if neg {
		v.Neg(v)
	}
	return v
}

// magnitude returns at most eight little-endian digits as a number.
func magnitude(digits []byte) uint64 {
	if len(digits) == 8 {
		return binary.LittleEndian.Uint64(digits)
	}
	var v uint64
	for i, c := range digits {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// fitInt returns the int of that magnitude and sign, if there is one.
func fitInt(v uint64, neg bool) (int, bool) {
	if neg {
		return int(-v), v <= 1<<(bits.UintSize-1)
	}
	return int(v), v <= math.MaxInt
}

func (d *Decoder) float(tag byte) Term {
	v := d.floatBits(tag)
	if d.err != nil {
		return nil
	}
	return d.boxFloat(v)
}

// floatBits reads a float in either form and refuses what is not finite.
func (c *cursor) floatBits(tag byte) float64 {
	if tag == tagFloatText {
		return c.floatText()
	}
	v := math.Float64frombits(c.u64())
	if math.IsNaN(v) || math.IsInf(v, 0) {
		c.fail(nil, "float that is not finite")
	}
	return v
}

// floatText reads the form that was written before OTP R11: what C prints with
// %.20e. Go's parser reads more than that, so the characters are looked at
// first.
func (c *cursor) floatText() float64 {
	text := c.take(31)
	n := 0
	for n < len(text) && text[n] != 0 {
		switch ch := text[n]; {
		case ch >= '0' && ch <= '9', ch == '+', ch == '-', ch == '.', ch == 'e', ch == 'E':
			n++
		default:
			c.fail(nil, "float text with byte %d", ch)
			return 0
		}
	}
	v, err := strconv.ParseFloat(string(text[:n]), 64)
	if err != nil {
		c.fail(nil, "float text that is no float")
		return 0
	}
	return v
}

// uint reads an integer of 0 to 2^64-1 in any form.
func (c *cursor) uint() uint64 {
	tag := c.u8()
	n := 0
	switch tag {
	case tagSmallInt:
		return uint64(c.u8())
	case tagInt:
		v := int32(c.u32())
		if v < 0 {
			c.fail(nil, "negative integer")
			return 0
		}
		return uint64(v)
	case tagSmallBig:
		n = int(c.u8())
	case tagLargeBig:
		n = c.digits()
	default:
		c.wrongTag(tag, "an integer")
		return 0
	}
	neg, digits := c.u8() != 0, c.take(n)
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	if neg && len(digits) > 0 || len(digits) > 8 {
		c.fail(nil, "integer outside 0 to 2^64-1")
		return 0
	}
	return magnitude(digits)
}
