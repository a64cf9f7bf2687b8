package etf

import (
	"math"
	"math/big"
	"reflect"
	"time"
)

// From returns the term that a Go value stands for: one that Decode could have
// given, without anything of Go's own. Into is the way back.
//
//	Go                                term
//	bool                              true, false
//	integers, big.Int, *big.Int       an integer
//	float32, float64                  a float
//	string, []byte, arrays of bytes   a binary
//	slices, arrays                    a list; a nil slice is []
//	maps                              a map, in the order of keys that are text or integers
//	pointers                          what they point to; nil is the atom nil
//	any                               what it holds; nil is the atom nil
//	time.Time                         a DateTime in UTC, cut to microseconds
//	structs                           a map, an Elixir struct, or a tuple
//	types of this package             the term, From of what is inside
//
// Of a struct those fields take part that have a tag `erl:"name"`, in order. They
// are the entries of a map with atoms as keys. A marker among the fields makes it
// something else:
//
//	_ struct{} `erl:",binary"`                     a map with binaries as keys
//	_ struct{} `erl:"Elixir.Remote.Event,struct"`  %Remote.Event{}
//	_ struct{} `erl:",tuple"`                      a tuple of the fields
//	_ struct{} `erl:"ok,tuple"`                    a tuple that begins with the atom ok
//
// After the name may stand ",omitempty", which leaves the entry out if the field is
// the zero value or a slice or map without elements, and ",atom", which makes a
// string an atom. A tag "-" is none. An embedded struct needs a tag and is then a
// field like others.
//
// Other types (channels, functions, interfaces with methods, pointers to pointers),
// structs without any tag, values that no node takes and maps of which two keys are
// the same term are a *FitError, which says where. The term may share memory with
// v. From is safe for concurrent use.
func From(v any) (Term, error) {
	t, err := fromAny(v, 0)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func fromAny(v any, depth int) (Term, error) {
	switch v := v.(type) {
	case nil:
		return Atom("nil"), nil
	case string, int, Pid, Ref, Port, Export, BitString, Opaque, Raw:
		return v, nil
	case Atom:
		return fromAtom(v)
	case float64:
		return fromFloat(v)
	case Tuple:
		ts, err := fromTerms(v, depth)
		return Tuple(ts), err
	case List:
		ts, err := fromTerms(v, depth)
		return List(ts), err
	case ImproperList:
		return fromImproper(v, depth)
	case Map:
		return fromPairs(v, depth)
	}
	r := reflect.ValueOf(v)
	s, err := shapeOf(r.Type())
	if err != nil {
		return nil, err
	}
	return s.from(r, depth)
}

// from returns the term of v, which is of the shape's type, inside depth containers.
func (s *shape) from(v reflect.Value, depth int) (Term, error) {
	switch s.form {
	case formAny, formTerm:
		return fromAny(v.Interface(), depth)
	case formAtom, formAtomText:
		return fromAtom(Atom(v.String()))
	case formBool:
		if v.Bool() {
			return Atom("true"), nil
		}
		return Atom("false"), nil
	case formInt:
		return fromInt(v.Int()), nil
	case formUint:
		return fromUint(v.Uint()), nil
	case formFloat:
		return fromFloat(v.Float())
	case formText:
		return v.String(), nil
	case formBytes:
		return string(v.Bytes()), nil
	case formTime:
		return fromTime(v.Interface().(time.Time))
	case formBig:
		n := v.Interface().(big.Int)
		return fromBig(&n), nil
	case formBigPtr, formPointer:
		if v.IsNil() {
			return Atom("nil"), nil
		}
		if s.form == formBigPtr {
			return fromBig(v.Interface().(*big.Int)), nil
		}
		return s.elem.from(v.Elem(), depth)
	}
	if depth >= MaxDepth {
		return nil, tooDeepToFit()
	}
	return s.fromContainer(v, depth)
}

func (s *shape) fromContainer(v reflect.Value, depth int) (Term, error) {
	switch s.form {
	case formByteArray:
		b := make([]byte, v.Len())
		for i := range b {
			b[i] = byte(v.Index(i).Uint())
		}
		return string(b), nil
	case formMap:
		return s.fromMap(v, depth)
	case formRecord:
		return s.record.from(v, depth)
	}
	l := make(List, v.Len())
	for i := range l {
		t, err := s.elem.from(v.Index(i), depth+1)
		if err != nil {
			return nil, underIndex(i, err)
		}
		l[i] = t
	}
	return l, nil
}

func fromAtom(a Atom) (Term, error) {
	if err := CheckAtom(a); err != nil {
		return nil, invalid(err)
	}
	return a, nil
}

func fromFloat(f float64) (Term, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, misfit("float %v is not finite", f)
	}
	return f, nil
}

func fromInt(n int64) Term {
	if int64(int(n)) == n {
		return int(n)
	}
	return big.NewInt(n)
}

func fromUint(n uint64) Term {
	if n <= math.MaxInt {
		return int(n)
	}
	return new(big.Int).SetUint64(n)
}

func fromBig(n *big.Int) Term {
	if n.IsInt64() {
		return fromInt(n.Int64())
	}
	return n
}
