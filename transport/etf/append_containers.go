package etf

import (
	"encoding/binary"
	"math"
)

func appendTuple(b []byte, v Tuple, depth int) ([]byte, error) {
	if depth >= MaxDepth {
		return nil, tooDeep()
	}
	return appendAll(AppendTupleHeader(b, len(v)), v, depth+1)
}

// appendList appends a proper list in the first form that fits:
//
//	106                        no elements
//	107 len:u16 bytes          1 to 65535 of them, all an int of 0 to 255
//	108 len:u32 elements 106   otherwise
func appendList(b []byte, v List, depth int) ([]byte, error) {
	if len(v) == 0 {
		return append(b, tagNil), nil
	}
	if depth >= MaxDepth {
		return nil, tooDeep()
	}
	if short, ok := appendString(b, v); ok {
		return short, nil
	}
	b, err := appendAll(AppendListHeader(b, len(v)), v, depth+1)
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

func appendImproper(b []byte, v ImproperList, depth int) ([]byte, error) {
	if len(v.Elems) == 0 {
		return nil, badValue("improper list without elements")
	}
	if depth >= MaxDepth {
		return nil, tooDeep()
	}
	b, err := appendAll(AppendListHeader(b, len(v.Elems)), v.Elems, depth+1)
	if err != nil {
		return nil, err
	}
	return appendTerm(b, v.Tail, depth+1)
}

func appendMap(b []byte, v Map, depth int) (_ []byte, err error) {
	if depth >= MaxDepth {
		return nil, tooDeep()
	}
	b = binary.BigEndian.AppendUint32(append(b, tagMap), uint32(len(v)))
	for i := range v {
		if b, err = appendTerm(b, v[i].Key, depth+1); err != nil {
			return nil, err
		}
		if b, err = appendTerm(b, v[i].Value, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendAll(b []byte, terms []Term, depth int) (_ []byte, err error) {
	for _, t := range terms {
		if b, err = appendTerm(b, t, depth); err != nil {
			return nil, err
		}
	}
	return b, nil
}
