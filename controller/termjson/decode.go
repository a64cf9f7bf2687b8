package termjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"ehc/transport/etf"
)

// Decode returns the term of a JSON value, its forms included. A form that does not
// hold what it should is an error, as are two values, more than 64 levels, a number
// too large for a float and one of more than 4,934 characters.
func Decode(text []byte) (etf.Term, error) {
	r := newReader(text, true)
	t, err := r.value(0)
	if err != nil {
		return nil, err
	}
	return t, r.end()
}

// ErrNoObject is the error of Fields for what is no JSON object.
var ErrNoObject = errors.New("not a JSON object")

// Fields returns the map of a JSON object whose own keys become atoms, as an Elixir
// function that takes a map has them. Deeper keys are binaries: a map's own fields
// are few and known to both sides, while what lies below may be anybody's data, and
// a peer's atoms are never freed. There are no forms.
func Fields(text []byte) (etf.Map, error) {
	r := newReader(text, false)
	if t, err := r.d.Token(); err != nil || t != json.Delim('{') {
		return nil, ErrNoObject
	}
	m, err := r.object(1, func(key string) etf.Term { return etf.Atom(key) })
	if err != nil {
		return nil, err
	}
	return m, r.end()
}

// reader reads one value.
type reader struct {
	d     *json.Decoder
	forms bool
}

func newReader(text []byte, forms bool) *reader {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return &reader{d: d, forms: forms}
}

func (r *reader) end() error {
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("followed by more text")
	}
	return nil
}

func (r *reader) value(depth int) (etf.Term, error) {
	t, err := r.d.Token()
	if err != nil {
		return nil, unexpected(err)
	}
	switch t := t.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, fmt.Errorf("nested deeper than %d", maxDepth)
		}
		if t == '[' {
			return r.array(depth + 1)
		}
		m, err := r.object(depth+1, func(key string) etf.Term { return key })
		if err == nil && r.forms && len(m) == 1 && strings.HasPrefix(m[0].Key.(string), "$") {
			return form(m[0].Key.(string), m[0].Value)
		}
		return m, err
	case json.Number:
		return number(t)
	case bool:
		if t {
			return etf.Atom("true"), nil
		}
		return etf.Atom("false"), nil
	case nil:
		return etf.Atom("nil"), nil
	default:
		return t, nil // a string, which is a binary
	}
}

// object reads what follows a "{". Of a key that stands twice the last counts, as
// JSON readers have it: a peer closes the link on a map with equal keys.
func (r *reader) object(depth int, key func(string) etf.Term) (etf.Map, error) {
	m := etf.Map{}
	at := map[string]int{}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return nil, unexpected(err)
		}
		k := t.(string) // the decoder lets nothing else stand here
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if i, twice := at[k]; twice {
			m[i].Value = v
			continue
		}
		at[k] = len(m)
		m = append(m, etf.Pair{Key: key(k), Value: v})
	}
	_, err := r.d.Token()
	return m, unexpected(err)
}

func (r *reader) array(depth int) (etf.List, error) {
	l := etf.List{}
	for r.d.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	_, err := r.d.Token()
	return l, unexpected(err)
}

// unexpected is the error of text that stops too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxDigits is up to how many digits and signs a number is read: as many as Encode
// writes. The time that it takes grows with their square.
const maxDigits = maxBig*30103/100000 + 2

// number keeps integers whole; what has a point or an exponent is a float.
func number(n json.Number) (etf.Term, error) {
	if len(n) > maxDigits {
		return nil, fmt.Errorf("a number of %d characters: want at most %d", len(n), maxDigits)
	}
	if i, err := n.Int64(); err == nil && int64(int(i)) == i {
		return int(i), nil
	}
	if !strings.ContainsAny(n.String(), ".eE") {
		if i, ok := new(big.Int).SetString(n.String(), 10); ok {
			return i, nil
		}
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %s does not fit a float", n)
	}
	return f, nil
}
