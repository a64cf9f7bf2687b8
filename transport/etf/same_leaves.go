package etf

import "encoding/binary"

// integer takes a sign and digits of base 256, the lowest first.
func (s *same) integer(neg bool, digits []byte) uint64 {
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	if neg && len(digits) > 0 {
		return s.text(tagSmallBig, digits)
	}
	return s.text(tagSmallInt, digits)
}

func (s *same) small(v int32) uint64 {
	magnitude := uint64(v)
	if v < 0 {
		magnitude = -magnitude
	}
	var digits [8]byte
	binary.LittleEndian.PutUint64(digits[:], magnitude)
	return s.integer(v < 0, digits[:])
}

func (s *same) bitString() uint64 {
	b, n := s.bitBytes()
	if n == 0 || n == 8 {
		return s.text(tagBinary, b)
	}
	last := len(b) - 1
	return s.mix(s.text(tagBitBinary, b[:last]), uint64(b[last]&lastBits(n))<<8|uint64(n))
}

func (s *same) atom(tag byte) uint64 {
	text := s.atomText(tag)
	if tag == tagAtomLatin1 || tag == tagSmallAtomLatin1 {
		text = appendLatin1(nil, text)
	}
	return s.text(tagAtom, text)
}

// id takes a pid, a reference or a port.
func (s *same) id(tag byte) uint64 {
	switch tag {
	case tagNewPid:
		return s.words(s.mix(tagPid, s.term()), s.u32(), s.u32(), s.u32())
	case tagPid:
		return s.words(s.mix(tagPid, s.term()), s.u32(), s.u32(), uint32(s.u8()))
	case tagNewPort:
		return s.words(s.mix(tagPort, s.term()), 0, s.u32(), s.u32())
	case tagPort:
		return s.words(s.mix(tagPort, s.term()), 0, s.u32(), uint32(s.u8()))
	case tagV4Port:
		return s.words(s.mix(tagPort, s.term()), s.u32(), s.u32(), s.u32())
	case tagRefOne:
		number, id := s.mix(tagRef, s.term()), s.u32()
		return s.ref(s.words(number, uint32(s.u8())), id)
	case tagNewRef, tagRef:
		n := s.refWords()
		number, creation := s.mix(tagRef, s.term()), uint32(0)
		if tag == tagNewRef {
			creation = s.u32()
		} else {
			creation = uint32(s.u8())
		}
		var ids [maxRefWords]uint32
		for i := range n {
			ids[i] = s.u32()
		}
		return s.ref(s.words(number, creation), ids[:]...)
	}
	s.wrongTag(tag, "a term")
	return 0
}

func (s *same) words(number uint64, words ...uint32) uint64 {
	for _, w := range words {
		number = s.mix(number, uint64(w))
	}
	return number
}

func (s *same) ref(number uint64, ids ...uint32) uint64 {
	for len(ids) > 0 && ids[len(ids)-1] == 0 {
		ids = ids[:len(ids)-1]
	}
	return s.words(number, ids...)
}

// fun takes a local fun: see skipNewFun. A node knows it by its module and index, OTP
// 27 and earlier by its old uniq as well.
func (s *same) fun() uint64 {
	s.take(4 + 1 + 16)
	index, free := s.u32(), s.length()
	number := s.words(s.mix(tagNewFun, s.term()), index)
	s.skipInt(s.u8())
	s.skipInt(s.u8())
	s.skipPid()
	return s.terms(number, free)
}

// record takes a native record: see skipRecord.
func (s *same) record() uint64 {
	n := s.length()
	number := s.words(tagRecord, uint32(s.u8()))
	number = s.terms(number, 2+n) // module, name and fields
	return s.terms(number, n)
}
