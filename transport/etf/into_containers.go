package etf

import "reflect"

func (s *shape) intoContainer(t Term, v reflect.Value, depth int) error {
	switch s.form {
	case formBytes, formByteArray:
		return s.intoBytes(t, v)
	case formSlice:
		return s.intoSlice(t, v, depth)
	case formArray:
		return s.intoArray(t, v, depth)
	case formMap:
		return s.intoMap(t, v, depth)
	}
	if s.record.tuple {
		return s.record.intoTuple(t, v, depth)
	}
	return s.record.intoMap(t, v, depth)
}

func (s *shape) intoBytes(t Term, v reflect.Value) error {
	b, ok := t.(string)
	switch {
	case !ok:
		return no(t, "binary")
	case s.form == formBytes:
		v.SetBytes([]byte(b))
		return nil
	case len(b) != v.Len():
		return misfit("a binary of %d bytes does not fit %s", len(b), s.typ)
	}
	for i := range len(b) {
		v.Index(i).SetUint(uint64(b[i]))
	}
	return nil
}

// intoSlice lets the slice grow with what has fitted, so that a long list of what
// does not fit costs nothing.
func (s *shape) intoSlice(t Term, v reflect.Value, depth int) error {
	const first = 64
	l, ok := t.(List)
	if !ok {
		return no(t, "list")
	}
	v.Set(reflect.MakeSlice(s.typ, 0, min(len(l), first)))
	for i, e := range l {
		if i == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(i + 1)
		if err := s.elem.into(e, v.Index(i), depth+1); err != nil {
			return underIndex(i, err)
		}
	}
	return nil
}

func (s *shape) intoArray(t Term, v reflect.Value, depth int) error {
	l, ok := t.(List)
	if !ok {
		return no(t, "list")
	}
	if len(l) != v.Len() {
		return misfit("a list of %d does not fit %s", len(l), s.typ)
	}
	for i, e := range l {
		part := v.Index(i)
		part.SetZero()
		if err := s.elem.into(e, part, depth+1); err != nil {
			return underIndex(i, err)
		}
	}
	return nil
}

func (s *shape) intoMap(t Term, v reflect.Value, depth int) error {
	m, ok := t.(Map)
	if !ok {
		return no(t, "map")
	}
	made := reflect.MakeMap(s.typ)
	for _, p := range m {
		key, value := reflect.New(s.key.typ).Elem(), reflect.New(s.elem.typ).Elem()
		if err := s.key.into(p.Key, key, depth+1); err != nil {
			return under("key", err)
		}
		if !key.Comparable() {
			return misfit("key %s is no key in Go", kindOf(p.Key))
		}
		if made.MapIndex(key).IsValid() {
			return misfit("key %s stands twice", Text(p.Key))
		}
		if err := s.elem.into(p.Value, value, depth+1); err != nil {
			return underKey(p.Key, err)
		}
		made.SetMapIndex(key, value)
	}
	v.Set(made)
	return nil
}

// intoMap fills in a struct from a map.
func (r *record) intoMap(t Term, v reflect.Value, depth int) error {
	m, ok := t.(Map)
	if ok && r.tag != "" {
		name, _ := m.Get(structAtom)
		ok = name == r.first
	}
	if !ok {
		return no(t, r.kind())
	}
	var few [64]bool
	found := few[:]
	if len(r.fields) > len(few) {
		found = make([]bool, len(r.fields))
	}
	for _, p := range m {
		i, ok := r.fieldOf(p.Key)
		if !ok {
			continue
		}
		f := &r.fields[i]
		found[i] = true
		if err := f.shape.into(p.Value, v.Field(f.index), depth+1); err != nil {
			return under(f.name, err)
		}
	}
	for i := range r.fields {
		if f := &r.fields[i]; !found[i] && !f.omit {
			return under(f.name, misfit("missing"))
		}
	}
	return nil
}

// fieldOf finds the field of a key.
func (r *record) fieldOf(key Term) (i int, ok bool) {
	var name string
	if r.binary {
		name, ok = key.(string)
	} else {
		var a Atom
		a, ok = key.(Atom)
		name = string(a)
	}
	if !ok {
		return 0, false
	}
	i, ok = r.byName[name]
	return i, ok
}

// kind says what the struct is for.
func (r *record) kind() string {
	if r.tag == "" {
		return "map"
	}
	return "struct " + Text(r.tag)
}

// intoTuple fills in a struct from a tuple.
func (r *record) intoTuple(t Term, v reflect.Value, depth int) error {
	tuple, ok := t.(Tuple)
	if !ok {
		return no(t, "tuple")
	}
	want := len(r.fields)
	if r.tag != "" {
		want++
	}
	if len(tuple) != want {
		return misfit("a tuple of %d is no tuple of %d", len(tuple), want)
	}
	if r.tag != "" {
		if tuple[0] != r.first {
			return misfit("the tuple does not begin with %s", Text(r.tag))
		}
		tuple = tuple[1:]
	}
	for i := range r.fields {
		f := &r.fields[i]
		if err := f.shape.into(tuple[i], v.Field(f.index), depth+1); err != nil {
			return under(f.name, err)
		}
	}
	return nil
}
