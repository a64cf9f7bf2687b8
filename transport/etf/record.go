package etf

import (
	"fmt"
	"reflect"
	"strings"
)

// structKey is the key of a map that makes it an Elixir struct.
const structKey = "__struct__"

// record is a struct type as a map or a tuple.
//
//	marker field `erl:"…"`      layout        keys      tag
//	none                        map           atoms     –
//	,binary                     map           binaries  –
//	Elixir.Remote.Event,struct  map           atoms     the value of __struct__
//	,tuple                      tuple         –         –
//	ok,tuple                    tuple         –         the first element
type record struct {
	tuple  bool
	binary bool // keys are binaries
	tag    Atom // "" is none
	first  Term // tag
	fields []field
	byName map[string]int
}

// field is one field of the Go struct that takes part.
type field struct {
	name  string
	key   Term
	index int
	shape *shape
	omit  bool // omitempty
}

func (b builder) record(t reflect.Type) (*record, error) {
	r := &record{byName: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("erl")
		var err error
		switch {
		case f.Name == "_" && tagged:
			err = r.mark(tag)
		case !tagged && f.Anonymous:
			err = fmt.Errorf("embedded %s needs an erl tag", f.Name)
		case tagged && tag != "-":
			err = b.field(r, f, tag)
		}
		if err != nil {
			return nil, &FitError{What: fmt.Sprintf("Go type %s: %s", t, err)}
		}
	}
	if err := r.check(); err != nil {
		return nil, &FitError{What: fmt.Sprintf("Go type %s: %s", t, err)}
	}
	r.first = r.tag
	for i := range r.fields {
		if f := &r.fields[i]; r.binary {
			f.key = f.name
		} else {
			f.key = Atom(f.name)
		}
	}
	return r, nil
}

// mark reads the tag of the marker.
func (r *record) mark(tag string) error {
	name, option, _ := strings.Cut(tag, ",")
	r.tag, r.tuple, r.binary = Atom(name), option == "tuple", option == "binary"
	switch {
	case option == "struct" && name == "":
		return fmt.Errorf("marker %q lacks the name of the struct", tag)
	case option == "binary" && name != "", option != "struct" && option != "tuple" && option != "binary":
		return fmt.Errorf("marker %q is none of \",binary\", \",tuple\", \"tag,tuple\" and \"name,struct\"", tag)
	}
	return CheckAtom(r.tag)
}

func (b builder) field(r *record, f reflect.StructField, tag string) error {
	name, options, _ := strings.Cut(tag, ",")
	s, err := b.shape(f.Type)
	if err != nil {
		return fmt.Errorf("field %s: %w", f.Name, err)
	}
	made := field{name: name, index: f.Index[0], shape: s}
	for option := range strings.SplitSeq(options, ",") {
		switch {
		case option == "":
		case option == "omitempty":
			made.omit = true
		case option == "atom" && s.form == formText:
			made.shape = &shape{typ: s.typ, form: formAtomText}
		default:
			return fmt.Errorf("field %s: option %q is not known for this type", f.Name, option)
		}
	}
	_, twice := r.byName[name]
	switch {
	case !f.IsExported():
		return fmt.Errorf("field %s is not exported", f.Name)
	case name == "":
		return fmt.Errorf("field %s has a tag without a name", f.Name)
	case twice, name == structKey:
		return fmt.Errorf("field %s: key %s is taken", f.Name, name)
	}
	r.byName[name] = len(r.fields)
	r.fields = append(r.fields, made)
	return nil
}

func (r *record) check() error {
	if len(r.byName) == 0 && r.tag == "" {
		return fmt.Errorf("no field has an erl tag")
	}
	for _, f := range r.fields {
		if r.tuple && f.omit {
			return fmt.Errorf("%s: a tuple leaves nothing out", f.name)
		}
		if err := CheckAtom(Atom(f.name)); err != nil && !r.binary {
			return err
		}
	}
	return nil
}
