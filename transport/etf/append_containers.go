package etf

import (
	"encoding/binary"
	"fmt"
	"math"
)

func appendTuple(b []byte, v Tuple, at place) ([]byte, error) {
	if at.depth >= MaxDepth {
		return nil, tooDeep()
	}
	return appendAll(AppendTupleHeader(b, len(v)), v, at.inside())
}

// appendList appends a proper list in the first form that fits:
//
//	106                        no elements
//	107 len:u16 bytes          1 to 65535 of them, all an int of 0 to 255
//	108 len:u32 elements 106   otherwise
func appendList(b []byte, v List, at place) ([]byte, error) {
	if len(v) == 0 {
		return append(b, tagNil), nil
	}
	if at.depth >= MaxDepth {
		return nil, tooDeep()
	}
	if short, ok := appendString(b, v); ok {
		return short, nil
	}
	b, err := appendAll(AppendListHeader(b, len(v)), v, at.inside())
	if err != nil {
		return nil, err
	}
	return append(b, tagNil), nil
}

// appendString appends a list of bytes, or says that v is none.
func appendString(b []byte, v List) ([]byte, bool) {
	if len(v) > maxString {
		return b, false
	}
	if _, ok := v[0].(int); !ok {
		return b, false
	}
	b = binary.BigEndian.AppendUint16(append(b, tagString), uint16(len(v)))
	for _, e := range v {
		n, ok := e.(int)
		if !ok || n < 0 || n > math.MaxUint8 {
			return b, false
		}
		b = append(b, byte(n))
	}
	return b, true
}

func appendImproper(b []byte, v ImproperList, at place) ([]byte, error) {
	if len(v.Elems) == 0 {
		return nil, badValue("improper list without elements")
	}
	if at.depth >= MaxDepth {
		return nil, tooDeep()
	}
	b, err := appendAll(AppendListHeader(b, len(v.Elems)), v.Elems, at.inside())
	if err != nil {
		return nil, err
	}
	return appendTerm(b, v.Tail, at.inside())
}

func appendMap(b []byte, v Map, at place) (_ []byte, err error) {
	if at.depth >= MaxDepth {
		return nil, tooDeep()
	}
	b = binary.BigEndian.AppendUint32(append(b, tagMap), uint32(len(v)))
	var few [fewKeys]span
	keys := few[:0]
	if len(v) > fewKeys {
		keys = make([]span, 0, len(v))
	}
	for i := range v {
		from := len(b)
		if b, err = appendTerm(b, v[i].Key, at.inside()); err != nil {
			return nil, err
		}
		keys = append(keys, span{from, len(b)})
		switch v[i].Key.(type) {
		case Atom, string, int: // as nearly always
		default:
			at.doubt = at.doubt || len(v) > 1 && ambiguous(v[i].Key)
		}
		if b, err = appendTerm(b, v[i].Value, at.inside()); err != nil {
			return nil, err
		}
	}
	if i := twice(b, keys); i >= 0 {
		return nil, &ValueError{What: fmt.Sprintf("map: the key of entry %d of %d stands there before", i+1, len(v)), Cause: ErrKeyTwice}
	}
	return b, nil
}

func appendAll(b []byte, terms []Term, at place) (_ []byte, err error) {
	for _, t := range terms {
		if b, err = appendTerm(b, t, at); err != nil {
			return nil, err
		}
	}
	return b, nil
}
