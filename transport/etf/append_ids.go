package etf

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// CheckAtom returns an error unless a is UTF-8 of at most 255 characters.
func CheckAtom(a Atom) error {
	if isPlain(string(a)) {
		return nil
	}
	if !utf8.ValidString(string(a)) {
		return badValue("atom %q: not UTF-8", cut(string(a)))
	}
	if n := utf8.RuneCountInString(string(a)); n > maxAtomChars {
		return badValue("atom %q of %d characters: more than %d", cut(string(a)), n, maxAtomChars)
	}
	return nil
}

// isPlain says whether the text of an atom is short and ASCII, as nearly all are, so
// that there is nothing to check.
func isPlain[T string | []byte](text T) bool {
	var all byte
	for i := range len(text) {
		all |= text[i]
	}
	return all < utf8.RuneSelf && len(text) <= maxAtomChars
}

// cut shortens a value for an error text.
func cut(s string) string {
	if len(s) <= 40 {
		return s
	}
	return s[:40] + "..."
}

// AppendAtom appends an atom without a check: a must be one that CheckAtom
// accepts, as all that come from a Decoder are.
func AppendAtom(b []byte, a Atom) []byte {
	if len(a) <= math.MaxUint8 {
		b = append(b, tagSmallAtom, byte(len(a)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, tagAtom), uint16(len(a)))
	}
	return append(b, a...)
}

// AppendPid appends a pid. Its node must be an atom that CheckAtom accepts.
func AppendPid(b []byte, p Pid) []byte {
	b = AppendAtom(append(b, tagNewPid), p.Node)
	b = binary.BigEndian.AppendUint32(b, p.ID)
	b = binary.BigEndian.AppendUint32(b, p.Serial)
	return binary.BigEndian.AppendUint32(b, p.Creation)
}

// AppendRef appends a reference. Its node must be an atom that CheckAtom
// accepts, its Len 1 to 5; a larger one panics.
func AppendRef(b []byte, r Ref) []byte {
	b = AppendAtom(append(b, tagNewRef, 0, r.Len), r.Node)
	b = binary.BigEndian.AppendUint32(b, r.Creation)
	for _, w := range r.ID[:r.Len] {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func appendChecked(b []byte, a Atom) ([]byte, error) {
	if err := CheckAtom(a); err != nil {
		return nil, err
	}
	return AppendAtom(b, a), nil
}

func appendPidChecked(b []byte, p Pid) ([]byte, error) {
	if err := CheckAtom(p.Node); err != nil {
		return nil, err
	}
	return AppendPid(b, p), nil
}

func appendRefChecked(b []byte, r Ref) ([]byte, error) {
	if err := CheckAtom(r.Node); err != nil {
		return nil, err
	}
	if r.Len < 1 || r.Len > maxRefWords {
		return nil, badValue("reference of %d words: want 1 to %d", r.Len, maxRefWords)
	}
	return AppendRef(b, r), nil
}

// appendPort uses the form that OTP 25 writes for the number; later releases
// always write the long one and read both.
func appendPort(b []byte, p Port) ([]byte, error) {
	if err := CheckAtom(p.Node); err != nil {
		return nil, err
	}
	if p.ID <= maxOldPort {
		b = AppendAtom(append(b, tagNewPort), p.Node)
		b = binary.BigEndian.AppendUint32(b, uint32(p.ID))
	} else {
		b = AppendAtom(append(b, tagV4Port), p.Node)
		b = binary.BigEndian.AppendUint64(b, p.ID)
	}
	return binary.BigEndian.AppendUint32(b, p.Creation), nil
}

func appendExport(b []byte, e Export) ([]byte, error) {
	if e.Arity < 0 || e.Arity > math.MaxUint8 {
		return nil, badValue("fun of arity %d: want 0 to 255", e.Arity)
	}
	b, err := appendChecked(append(b, tagExport), e.Module)
	if err != nil {
		return nil, err
	}
	if b, err = appendChecked(b, e.Function); err != nil {
		return nil, err
	}
	return append(b, tagSmallInt, byte(e.Arity)), nil
}
