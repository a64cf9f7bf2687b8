package etf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Append appends the external form of t to b, from its tag on and without the
// leading 131, in the form that OTP nodes write themselves. It takes all types
// of the package comment; a Go nil is none of them.
//
// What a peer would close the connection for is an error, always a
// *ValueError: a float that is not finite, an integer of more than half a
// megabyte, an atom that CheckAtom refuses, a Ref or BitString of impossible size,
// a key that occurs twice in a Map, a Raw or an Opaque that is not just one term,
// nesting over MaxDepth, an empty ImproperList, any other Go type. It does not look
// for keys inside a Raw, and 0.0 and -0.0, which OTP 25 and 26 hold for one key, are
// two. An ImproperList whose tail is a List is the proper list of both. With an error
// comes b as it was given.
func Append(b []byte, t Term) ([]byte, error) {
	return appendWhole(b, t, false)
}

// AppendPlain is Append for a peer that has not offered native records, and closes
// the connection on one: there, also inside of funs, it is a *ValueError of cause
// ErrRecord.
func AppendPlain(b []byte, t Term) ([]byte, error) {
	return appendWhole(b, t, true)
}

func appendWhole(b []byte, t Term, plain bool) ([]byte, error) {
	whole := whole{plain: plain}
	out, err := appendTerm(b, t, place{whole: &whole})
	if err == nil && whole.doubt && keyTwice(out[len(b):]) {
		err = &ValueError{What: "map: a key stands there twice, in two forms", Cause: ErrKeyTwice}
	}
	if err != nil {
		return b, err
	}
	return out, nil
}

// place is where in a term the encoder stands.
type place struct {
	depth int // containers that are open
	*whole
}

// whole is what there is to know of a term as a whole.
type whole struct {
	plain bool // no native records
	doubt bool // a map may have a key twice, in two forms
}

// inside is the place of what the next container holds.
func (p place) inside() place { return place{p.depth + 1, p.whole} }

// Encode returns t as a term that stands alone, which is what binary_to_term
// reads: 131 and then what Append writes.
func Encode(t Term) ([]byte, error) {
	b, err := Append(append(make([]byte, 0, 64), version), t)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// AppendBinary appends a binary. It does not fail.
func AppendBinary[T string | []byte](b []byte, v T) []byte {
	b = binary.BigEndian.AppendUint32(append(b, tagBinary), uint32(len(v)))
	return append(b, v...)
}

// AppendTupleHeader appends what stands before the elements of a tuple of
// arity elements, which the caller appends next.
func AppendTupleHeader(b []byte, arity int) []byte {
	if arity <= math.MaxUint8 {
		return append(b, tagSmallTuple, byte(arity))
	}
	return binary.BigEndian.AppendUint32(append(b, tagTuple), uint32(arity))
}

// AppendListHeader appends what stands before n elements of a list, n at least
// 1, which the caller appends next and after them the tail: AppendNil for a
// proper list.
func AppendListHeader(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, tagList), uint32(n))
}

// AppendMapHeader appends what begins a map of n pairs, which the caller appends:
// each a key and its value, no key twice.
func AppendMapHeader(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, tagMap), uint32(n))
}

// AppendNil appends the empty list.
func AppendNil(b []byte) []byte { return append(b, tagNil) }

// appendTerm appends the types that Decode gives.
func appendTerm(b []byte, t Term, at place) ([]byte, error) {
	switch v := t.(type) {
	case Atom:
		return appendChecked(b, v)
	case string:
		if uint64(len(v)) > math.MaxUint32 {
			return nil, badValue("binary of %d bytes: too long", len(v))
		}
		return AppendBinary(b, v), nil
	case int:
		return AppendInt(b, int64(v)), nil
	case float64:
		return appendFloat(b, v)
	case *big.Int:
		return appendBig(b, v)
	case Tuple:
		return appendTuple(b, v, at)
	case List:
		return appendList(b, v, at)
	case Map:
		return appendMap(b, v, at)
	case ImproperList:
		return appendImproper(b, v, at)
	case Pid:
		return appendPidChecked(b, v)
	case Ref:
		return appendRefChecked(b, v)
	case Port:
		return appendPort(b, v)
	case Export:
		return appendExport(b, v)
	case BitString:
		return appendBits(b, v)
	case Opaque:
		return appendOpaque(b, v, at)
	}
	return appendGo(b, t, at)
}

// appendGo appends the types that Append takes beyond those of Decode.
func appendGo(b []byte, t Term, at place) ([]byte, error) {
	switch v := t.(type) {
	case bool:
		if v {
			return AppendAtom(b, "true"), nil
		}
		return AppendAtom(b, "false"), nil
	case []byte:
		if uint64(len(v)) > math.MaxUint32 {
			return nil, badValue("binary of %d bytes: too long", len(v))
		}
		return AppendBinary(b, v), nil
	case Raw:
		if _, err := at.check(v, "etf.Raw"); err != nil {
			return nil, err
		}
		return append(b, v...), nil
	case int8:
		return AppendInt(b, int64(v)), nil
	case int16:
		return AppendInt(b, int64(v)), nil
	case int32:
		return AppendInt(b, int64(v)), nil
	case int64:
		return AppendInt(b, v), nil
	case uint:
		return AppendUint(b, uint64(v)), nil
	case uint8:
		return AppendUint(b, uint64(v)), nil
	case uint16:
		return AppendUint(b, uint64(v)), nil
	case uint32:
		return AppendUint(b, uint64(v)), nil
	case uint64:
		return AppendUint(b, v), nil
	case nil:
		return nil, badValue("nil: not a term")
	}
	return nil, badValue("Go type %T: not a term", t)
}

// appendBits appends a bit string. The bits of the last byte that do not count
// are written as zeros, as nodes do.
func appendBits(b []byte, v BitString) ([]byte, error) {
	n := len(v.Bytes)
	if v.Bits < 1 || v.Bits > 7 || n == 0 {
		return nil, badValue("bit string of %d bytes with %d bits in the last: want 1 to 7", n, v.Bits)
	}
	b = binary.BigEndian.AppendUint32(append(b, tagBitBinary), uint32(n))
	b = append(append(b, v.Bits), v.Bytes...)
	b[len(b)-1] &= lastBits(v.Bits)
	return b, nil
}

// lastBits returns the mask of the high bits of a byte.
func lastBits(bits uint8) byte { return byte(uint16(0xff00) >> bits) }

// appendOpaque appends a term as it came, after a look at what it claims to
// be: Opaque is a string type, into which anything can be converted.
func appendOpaque(b []byte, v Opaque, at place) ([]byte, error) {
	if v == "" || !isOpaque(v[0]) {
		return nil, badValue("etf.Opaque of %d bytes: no fun and no record", len(v))
	}
	from := len(b)
	b = append(b, v...)
	maps, err := at.check(b[from:], "etf.Opaque")
	if err != nil {
		return nil, err
	}
	at.doubt = at.doubt || maps
	return b, nil
}

// check looks at bytes that are to be one term, and says whether maps are in there.
func (p place) check(v []byte, what string) (maps bool, err error) {
	c := cursor{b: v, maxDepth: MaxDepth}
	c.skip()
	switch {
	case c.err != nil:
		return false, &ValueError{What: fmt.Sprintf("%s of %d bytes: %v", what, len(v), c.err), Cause: errors.Unwrap(c.err)}
	case c.i < len(v):
		return false, badValue("%s of %d bytes: %d after the term", what, len(v), len(v)-c.i)
	case p.plain && c.records:
		return false, &ValueError{What: "native record", Cause: ErrRecord}
	}
	return c.maps, nil
}

// isOpaque says whether terms with this tag are kept as their bytes.
func isOpaque(tag byte) bool { return tag == tagNewFun || tag == tagRecord }

// tooDeep is the error for a container inside MaxDepth others.
func tooDeep() error {
	return &ValueError{What: fmt.Sprintf("term: more than %d containers deep", MaxDepth), Cause: ErrDepth}
}
