package etf

import (
	"math/big"
	"reflect"
)

// intoNumber puts a number into an integer or a float.
func (s *shape) intoNumber(t Term, v reflect.Value) error {
	switch s.form {
	case formInt:
		n, ok := int64Of(t)
		if !ok || v.OverflowInt(n) {
			return s.tooLarge(t, "integer")
		}
		v.SetInt(n)
	case formUint:
		n, ok := uint64Of(t)
		if !ok || v.OverflowUint(n) {
			return s.tooLarge(t, "integer")
		}
		v.SetUint(n)
	default:
		f, ok := s.floatOf(t)
		if !ok || v.OverflowFloat(f) {
			return s.tooLarge(t, "float")
		}
		v.SetFloat(f)
	}
	return nil
}

func int64Of(t Term) (int64, bool) {
	switch n := t.(type) {
	case int:
		return int64(n), true
	case *big.Int:
		return n.Int64(), n.IsInt64()
	}
	return 0, false
}

func uint64Of(t Term) (uint64, bool) {
	switch n := t.(type) {
	case int:
		return uint64(n), n >= 0
	case *big.Int:
		return n.Uint64(), n.IsUint64()
	}
	return 0, false
}

// floatOf takes integers as well, as long as a float of the shape's size counts on.
func (s *shape) floatOf(t Term) (float64, bool) {
	most := int64(1) << 53
	if s.typ.Kind() == reflect.Float32 {
		most = 1 << 24
	}
	switch n := t.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), -most <= int64(n) && int64(n) <= most
	}
	return 0, false
}

// tooLarge is the error for what is no number of the wanted kind, or one that does
// not fit.
func (s *shape) tooLarge(t Term, want string) error {
	switch n := t.(type) {
	case int:
		return misfit("%d does not fit %s", n, s.typ)
	case *big.Int:
		if n.BitLen() > 128 {
			return misfit("an integer of %d bits does not fit %s", n.BitLen(), s.typ)
		}
		return misfit("%s does not fit %s", n, s.typ)
	case float64:
		if s.form == formFloat {
			return misfit("%s does not fit %s", floatText(n), s.typ)
		}
	}
	return no(t, want)
}
