package etf

import (
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
)

// ambiguous says whether a term that is =:= to t may be written in another form.
func ambiguous(t Term) bool {
	switch v := t.(type) {
	case Map, Ref, ImproperList, Opaque, Raw:
		return true
	case Tuple:
		return slices.ContainsFunc(v, ambiguous)
	case List:
		return slices.ContainsFunc(v, ambiguous)
	}
	return false
}

// keyTwice says whether in a term, which is well formed, a map has a key twice, in
// whatever forms. It takes time in proportion to the bytes.
func keyTwice(b []byte) bool {
	s := same{cursor: cursor{b: b}, seed: maphash.MakeSeed()}
	s.one, s.other = maphash.String(s.seed, "one"), maphash.String(s.seed, "other")
	s.term()
	return s.twice
}

// same goes through a term and gives all that is inside numbers: the same to terms
// that a node holds for the same (=:=), and other ones to others, but for a chance of
// 2^-64 that nobody can improve. Of what has several forms counts
//
//	an integer     its value
//	a map          its entries, in any order
//	a list         its elements and its tail, in any pieces
//	a reference    its words, but for zeros at the end
//	a local fun    its module, its index and what it closes over
//
// 0.0 and -0.0 are two, as since OTP 27.
type same struct {
	cursor
	seed       maphash.Seed
	one, other uint64
	twice      bool
}

// mix makes a number of two.
func (s *same) mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^s.one, b^s.other)
	return high ^ low
}

func (s *same) text(tag byte, b []byte) uint64 { return s.mix(uint64(tag), maphash.Bytes(s.seed, b)) }

func (s *same) term() uint64 { return s.tagged(s.u8()) }

func (s *same) tagged(tag byte) uint64 {
	switch tag {
	case tagSmallInt:
		return s.small(int32(s.u8()))
	case tagInt:
		return s.small(int32(s.u32()))
	case tagSmallBig:
		n := int(s.u8())
		return s.integer(s.u8() != 0, s.take(n))
	case tagLargeBig:
		n := s.digits()
		return s.integer(s.u8() != 0, s.take(n))
	case tagFloat, tagFloatText:
		return s.mix(tagFloat, math.Float64bits(s.floatBits(tag)))
	case tagBinary:
		return s.text(tagBinary, s.take(s.length()))
	case tagBitBinary:
		return s.bitString()
	case tagNil, tagString, tagList:
		return s.list(tag)
	case tagSmallTuple:
		return s.terms(tagTuple, int(s.u8()))
	case tagTuple:
		return s.terms(tagTuple, s.length())
	case tagMap:
		return s.mapping()
	case tagExport:
		return s.mix(s.mix(s.mix(tagExport, s.term()), s.term()), s.uint())
	case tagNewFun:
		return s.fun()
	case tagRecord:
		return s.record()
	case tagSmallAtom, tagAtom, tagSmallAtomLatin1, tagAtomLatin1:
		return s.atom(tag)
	}
	return s.id(tag)
}

// terms takes n terms in their order.
func (s *same) terms(kind uint64, n int) uint64 {
	number := s.mix(kind, uint64(n))
	for ; n > 0 && s.err == nil; n-- {
		number = s.mix(number, s.term())
	}
	return number
}

// list takes a list as Decoder.list does, but for its length.
func (s *same) list(tag byte) uint64 {
	number := uint64(tagList)
	for tag == tagList && s.err == nil {
		for n := s.length(); n > 0 && s.err == nil; n-- {
			number = s.mix(number, s.term())
		}
		tag = s.u8()
	}
	switch tag {
	case tagNil:
	case tagString:
		for _, c := range s.take(s.u16()) {
			number = s.mix(number, s.small(int32(c)))
		}
	default:
		tail := s.tagged(tag)
		if number == tagList { // without any elements it is its tail
			return tail
		}
		return s.mix(s.mix(tagNil, number), tail)
	}
	return number
}

// mapping takes a map, and looks whether two of its keys are the same.
func (s *same) mapping() uint64 {
	n := s.length()
	keys, all := make([]uint64, n), uint64(0)
	for i := range keys {
		keys[i] = s.term()
		all += s.mix(keys[i], s.term())
	}
	slices.Sort(keys)
	s.twice = s.twice || len(slices.Compact(keys)) < n
	return s.mix(s.mix(tagMap, uint64(n)), all)
}
