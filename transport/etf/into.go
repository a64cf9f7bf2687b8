package etf

import (
	"math/big"
	"reflect"
)

// Into puts a term into what into points to, a Go value of any type that From takes,
// and is strict: a term of another kind, a number that does not fit, a list or tuple
// of another length and another struct are a *FitError, which says where. After an
// error part of the value may be filled in; it is of no use.
//
//	an integer         fits integers, big.Int, and a float that holds it exactly
//	a float            fits a float; float32 takes the nearest
//	a binary           fits a string, and bytes, which are copied
//	the atom nil       fits a pointer, which is then nil
//	any term           fits any, as it is: it may share memory with t
//	a term of a type   fits that type of this package
//	a DateTime         fits a time.Time, which is in UTC
//
// Of a map that is for a struct, keys which the struct does not have are ignored.
// Those that it has must be there, except those with omitempty: their fields keep
// what they had before. A struct of Elixir fits a struct with its name, and one
// without a marker. Slices, Go maps and what pointers lead to are made anew. Keys
// that a Go map could not hold, or would hold as one, are an error.
//
// It panics if into is no pointer. It is safe for concurrent use as long as the
// values are.
func Into(t Term, into any) error {
	p := reflect.ValueOf(into)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		panic("etf: Into needs a pointer")
	}
	s, err := shapeOf(p.Type().Elem())
	if err != nil {
		return err
	}
	return s.into(t, p.Elem(), 0)
}

// As returns a term as a T, which Into fills in.
func As[T any](t Term) (T, error) {
	var v T
	err := Into(t, &v)
	return v, err
}

// into puts t, inside depth containers, into v, which is of the shape's type.
func (s *shape) into(t Term, v reflect.Value, depth int) error {
	if t == nil {
		return misfit("a Go nil is no term")
	}
	switch s.form {
	case formAny:
		v.Set(reflect.ValueOf(t))
		return nil
	case formTerm:
		r := reflect.ValueOf(t)
		if r.Type() != s.typ {
			return no(plain(t), s.typ.String())
		}
		v.Set(r)
		return nil
	}
	return s.intoPlain(plain(t), v, depth)
}

func (s *shape) intoPlain(t Term, v reflect.Value, depth int) error {
	switch s.form {
	case formAtom, formAtomText:
		a, ok := t.(Atom)
		if !ok {
			return no(t, "atom")
		}
		v.SetString(string(a))
	case formBool:
		if t != Term(Atom("true")) && t != Term(Atom("false")) {
			return no(t, "boolean")
		}
		v.SetBool(t == Term(Atom("true")))
	case formInt, formUint, formFloat:
		return s.intoNumber(t, v)
	case formBig, formBigPtr:
		return s.intoBig(t, v)
	case formText:
		b, ok := t.(string)
		if !ok {
			return no(t, "binary")
		}
		v.SetString(b)
	case formTime:
		at, err := intoTime(t)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(at))
	case formPointer:
		return s.intoPointer(t, v, depth)
	default:
		if depth >= MaxDepth {
			return tooDeepToFit()
		}
		return s.intoContainer(t, v, depth)
	}
	return nil
}

func (s *shape) intoPointer(t Term, v reflect.Value, depth int) error {
	if t == Term(Atom("nil")) {
		v.SetZero()
		return nil
	}
	p := reflect.New(s.elem.typ)
	if err := s.elem.into(t, p.Elem(), depth); err != nil {
		return err
	}
	v.Set(p)
	return nil
}

func (s *shape) intoBig(t Term, v reflect.Value) error {
	n := new(big.Int)
	switch t := t.(type) {
	case int:
		n.SetInt64(int64(t))
	case *big.Int:
		n.Set(t)
	case Atom:
		if s.form == formBigPtr && t == "nil" {
			v.SetZero()
			return nil
		}
		return no(t, "integer")
	default:
		return no(t, "integer")
	}
	if s.form == formBigPtr {
		v.Set(reflect.ValueOf(n))
		return nil
	}
	v.Addr().Interface().(*big.Int).Set(n)
	return nil
}

// plain gives the types that Append takes beyond those of Decode the type of their
// equal there.
func plain(t Term) Term {
	switch v := t.(type) {
	case bool:
		if v {
			return Atom("true")
		}
		return Atom("false")
	case []byte:
		return string(v)
	case int8, int16, int32, int64:
		return fromInt(reflect.ValueOf(v).Int())
	case uint, uint8, uint16, uint32, uint64:
		return fromUint(reflect.ValueOf(v).Uint())
	}
	return t
}
