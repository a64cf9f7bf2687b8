package termjson

import (
	"encoding/base64"
	"fmt"

	"ehc/transport/etf"
)

// form is the term that a form stands for.
func form(name string, v etf.Term) (etf.Term, error) {
	switch name {
	case formAtom:
		return atomOf(v)
	case formBinary:
		text, ok := v.(string)
		b, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: want bytes in base64", name)
		}
		return string(b), nil
	case formTuple:
		l, ok := v.(etf.List)
		if !ok {
			return nil, fmt.Errorf("%s: want an array", name)
		}
		return etf.Tuple(l), nil
	case formMap:
		return mapOf(v)
	case formImproper:
		return improperOf(v)
	case formErlang:
		return nil, fmt.Errorf("%s is for reading: a pid, a fun and the like cannot be sent", name)
	}
	return nil, fmt.Errorf("unknown form %q: a map with such a key is written {%q: [[%q, VALUE]]}", name, formMap, name)
}

func atomOf(v etf.Term) (etf.Term, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("%s: want a string", formAtom)
	}
	if err := etf.CheckAtom(etf.Atom(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", formAtom, err)
	}
	return etf.Atom(text), nil
}

func mapOf(v etf.Term) (etf.Term, error) {
	pairs, ok := v.(etf.List)
	m, keys := etf.Map{}, etf.Map{}
	for _, p := range pairs {
		pair, two := p.(etf.List)
		if ok = ok && two && len(pair) == 2; !ok {
			break
		}
		m = append(m, etf.Pair{Key: pair[0], Value: pair[1]})
		keys = append(keys, etf.Pair{Key: pair[0], Value: 0})
	}
	if !ok {
		return nil, fmt.Errorf("%s: want [[KEY, VALUE], …]", formMap)
	}
	if _, err := etf.Encode(keys); err != nil { // the same key twice
		return nil, fmt.Errorf("%s: %w", formMap, err)
	}
	return m, nil
}

func improperOf(v etf.Term) (etf.Term, error) {
	l, _ := v.(etf.List)
	if len(l) == 2 {
		elems, ok := l[0].(etf.List)
		if _, proper := l[1].(etf.List); ok && !proper && len(elems) > 0 {
			return etf.ImproperList{Elems: elems, Tail: l[1]}, nil
		}
	}
	return nil, fmt.Errorf("%s: want [[ELEMENT, …], TAIL], the tail no array", formImproper)
}
