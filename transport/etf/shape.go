package etf

import (
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"time"
)

// form is how the values of a Go type are terms; see From for the table.
type form uint8

const (
	formAny      form = iota // any term
	formTerm                 // a type of this package, as it is
	formAtom                 // Atom
	formAtomText             // a string with the option atom
	formBool
	formInt
	formUint
	formFloat
	formBig    // big.Int
	formBigPtr // *big.Int
	formText
	formBytes     // a slice of bytes
	formByteArray // an array of bytes
	formTime
	formPointer
	formSlice
	formArray
	formMap
	formRecord // a struct
)

// shape is a Go type as terms see it. It is complete before anybody but its
// builder has it, and never changes.
type shape struct {
	typ    reflect.Type
	form   form
	key    *shape // of a map
	elem   *shape // of a pointer, slice, array or map
	record *record
}

// shapes keeps what was found out about types, which follows from the types alone:
// who looks twice finds the same, and two who look at once build equal shapes.
var shapes sync.Map // reflect.Type → *shape

var (
	atomType   = reflect.TypeFor[Atom]()
	bigType    = reflect.TypeFor[big.Int]()
	bigPtrType = reflect.TypeFor[*big.Int]()
	timeType   = reflect.TypeFor[time.Time]()

	// termTypes are those of this package that are containers or have no Go equal.
	termTypes = map[reflect.Type]bool{
		reflect.TypeFor[Tuple](): true, reflect.TypeFor[List](): true, reflect.TypeFor[ImproperList](): true,
		reflect.TypeFor[Map](): true, reflect.TypeFor[BitString](): true, reflect.TypeFor[Pid](): true,
		reflect.TypeFor[Ref](): true, reflect.TypeFor[Port](): true, reflect.TypeFor[Export](): true,
		reflect.TypeFor[Opaque](): true, reflect.TypeFor[Raw](): true,
	}
)

// shapeOf returns the shape of a type, or says why it has none.
func shapeOf(t reflect.Type) (*shape, error) {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape), nil
	}
	b := builder{}
	s, err := b.shape(t)
	if err != nil {
		return nil, err
	}
	for t, s := range b { // all of them are complete now
		shapes.LoadOrStore(t, s)
	}
	return s, nil
}

// builder holds the shapes of one build, so that types which contain themselves
// come to an end.
type builder map[reflect.Type]*shape

func (b builder) shape(t reflect.Type) (*shape, error) {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape), nil
	}
	if s := b[t]; s != nil {
		return s, nil
	}
	s := &shape{typ: t}
	b[t] = s
	return s, b.fill(s)
}

func (b builder) fill(s *shape) (err error) {
	switch t := s.typ; {
	case t == atomType:
		s.form = formAtom
	case t == bigType:
		s.form = formBig
	case t == bigPtrType:
		s.form = formBigPtr
	case t == timeType:
		s.form = formTime
	case termTypes[t]:
		s.form = formTerm
	case t.Kind() == reflect.Struct:
		s.form = formRecord
		s.record, err = b.record(t)
	default:
		return b.fillKind(s)
	}
	return err
}

// fillKind fills in what a type's kind says.
func (b builder) fillKind(s *shape) error {
	switch t := s.typ; t.Kind() {
	case reflect.Bool:
		s.form = formBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.form = formInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.form = formUint
	case reflect.Float32, reflect.Float64:
		s.form = formFloat
	case reflect.String:
		s.form = formText
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return noTerm(t, "an interface with methods")
		}
		s.form = formAny
	case reflect.Pointer:
		if k := t.Elem().Kind(); k == reflect.Pointer || k == reflect.Interface {
			return noTerm(t, "a pointer to what may be nil itself")
		}
		s.form = formPointer
		return b.inside(s, t.Elem())
	case reflect.Slice, reflect.Array, reflect.Map:
		return b.fillContainer(s)
	default:
		return noTerm(t, "a "+t.Kind().String())
	}
	return nil
}

func (b builder) fillContainer(s *shape) (err error) {
	t := s.typ
	bytes := t.Elem().Kind() == reflect.Uint8
	switch kind := t.Kind(); {
	case kind == reflect.Slice && bytes:
		s.form = formBytes
	case kind == reflect.Array && bytes:
		s.form = formByteArray
	case kind == reflect.Slice:
		s.form = formSlice
	case kind == reflect.Array:
		s.form = formArray
	default:
		s.form = formMap
		if s.key, err = b.shape(t.Key()); err != nil {
			return err
		}
	}
	return b.inside(s, t.Elem())
}

func (b builder) inside(s *shape, elem reflect.Type) (err error) {
	s.elem, err = b.shape(elem)
	return err
}

func noTerm(t reflect.Type, why string) error {
	return &FitError{What: fmt.Sprintf("Go type %s: %s is no term", t, why)}
}
