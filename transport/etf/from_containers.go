package etf

import (
	"cmp"
	"reflect"
	"slices"
)

// structAtom is structKey as a key.
var structAtom Term = Atom(structKey)

// from returns the map or the tuple of a struct.
func (r *record) from(v reflect.Value, depth int) (Term, error) {
	if r.tuple {
		return r.fromTuple(v, depth)
	}
	m := make(Map, 0, len(r.fields)+1)
	if r.tag != "" {
		m = append(m, Pair{structAtom, r.first})
	}
	for i := range r.fields {
		f := &r.fields[i]
		part := v.Field(f.index)
		if f.omit && empty(part) {
			continue
		}
		t, err := f.shape.from(part, depth+1)
		if err != nil {
			return nil, under(f.name, err)
		}
		m = append(m, Pair{f.key, t})
	}
	return m, nil
}

func (r *record) fromTuple(v reflect.Value, depth int) (Term, error) {
	tuple := make(Tuple, 0, len(r.fields)+1)
	if r.tag != "" {
		tuple = append(tuple, r.first)
	}
	for i := range r.fields {
		f := &r.fields[i]
		t, err := f.shape.from(v.Field(f.index), depth+1)
		if err != nil {
			return nil, under(f.name, err)
		}
		tuple = append(tuple, t)
	}
	return tuple, nil
}

func empty(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// fromMap returns the map of a Go map.
func (s *shape) fromMap(v reflect.Value, depth int) (Term, error) {
	m := make(Map, 0, v.Len())
	// Other keys may differ in Go and be one term: 1 and uint8(1), two pointers.
	var seen map[string]bool
	if s.key.form != formText && s.key.form != formAtom && s.key.form != formInt && s.key.form != formUint {
		seen = make(map[string]bool, v.Len())
	}
	for i := v.MapRange(); i.Next(); {
		key, err := s.key.from(i.Key(), depth+1)
		if err != nil {
			return nil, under("key", err)
		}
		if seen != nil {
			b, err := Append(nil, key)
			if err != nil {
				return nil, under("key", invalid(err))
			}
			if seen[string(b)] {
				return nil, misfit("key %s stands twice", Text(key))
			}
			seen[string(b)] = true
		}
		t, err := s.elem.from(i.Value(), depth+1)
		if err != nil {
			return nil, underKey(key, err)
		}
		m = append(m, Pair{key, t})
	}
	slices.SortFunc(m, func(a, b Pair) int { return compareKeys(a.Key, b.Key) })
	return m, nil
}

// compareKeys orders integers, atoms and binaries, and puts others behind.
func compareKeys(a, b Term) int {
	n, x := orderOf(a)
	m, y := orderOf(b)
	if kind := n.kind - m.kind; kind != 0 {
		return kind
	}
	return cmp.Or(cmp.Compare(n.number, m.number), cmp.Compare(x, y))
}

type order struct{ kind, number int }

func orderOf(key Term) (order, string) {
	switch k := key.(type) {
	case int:
		return order{0, k}, ""
	case Atom:
		return order{1, 0}, string(k)
	case string:
		return order{2, 0}, k
	}
	return order{kind: 3}, ""
}

// fromTerms and what follows go through terms that may hold Go values.
func fromTerms(ts []Term, depth int) ([]Term, error) {
	if depth >= MaxDepth {
		return nil, tooDeepToFit()
	}
	out := make([]Term, len(ts))
	for i, t := range ts {
		var err error
		if out[i], err = fromAny(t, depth+1); err != nil {
			return nil, underIndex(i, err)
		}
	}
	return out, nil
}

func fromImproper(v ImproperList, depth int) (Term, error) {
	elems, err := fromTerms(v.Elems, depth)
	if err != nil {
		return nil, err
	}
	tail, err := fromAny(v.Tail, depth+1)
	if err != nil {
		return nil, under("tail", err)
	}
	return ImproperList{Elems: elems, Tail: tail}, nil
}

func fromPairs(v Map, depth int) (Term, error) {
	if depth >= MaxDepth {
		return nil, tooDeepToFit()
	}
	m := make(Map, len(v))
	for i, p := range v {
		key, err := fromAny(p.Key, depth+1)
		if err != nil {
			return nil, under("key", err)
		}
		t, err := fromAny(p.Value, depth+1)
		if err != nil {
			return nil, underKey(key, err)
		}
		m[i] = Pair{key, t}
	}
	return m, nil
}
