package termjson

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"ehc/transport/etf"
)

// maxBig is up to how many bits an integer is written as a number: the time that
// takes grows with their square.
const maxBig = 16 << 10

// Encode returns the JSON of a term, on one line. Every term has one; so has every
// other Go value, as a $erlang.
func Encode(t etf.Term) json.RawMessage { return Append(nil, t) }

// Append appends the JSON of a term.
func Append(b []byte, t etf.Term) []byte {
	switch v := t.(type) {
	case etf.Atom:
		return appendAtom(b, v)
	case string:
		return appendBinary(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return appendFloat(b, v)
		}
	case *big.Int:
		if v.BitLen() <= maxBig {
			return v.Append(b, 10)
		}
	case etf.List:
		return appendArray(b, v)
	case etf.Tuple:
		return appendArray(b, v)
	case etf.Map:
		return appendMap(b, v)
	case etf.ImproperList:
		b = append(appendForm(b, formImproper), '[')
		b = append(appendArray(b, v.Elems), ',')
		return append(Append(b, v.Tail), "]}"...)
	}
	return append(appendText(appendForm(b, formErlang), etf.Text(t)), '}')
}

// appendForm begins a form; what it holds and a brace are to follow.
func appendForm(b []byte, name string) []byte {
	return append(appendText(append(b, '{'), name), ':')
}

func appendAtom(b []byte, a etf.Atom) []byte {
	switch a {
	case "nil":
		return append(b, "null"...)
	case "true", "false":
		return append(b, a...)
	}
	return appendText(b, AtomText(a))
}

// AtomText is how Elixir shows an atom, but for the colon: so it stands in JSON, as a
// key, too.
func AtomText(a etf.Atom) string {
	if module, ok := strings.CutPrefix(string(a), "Elixir."); ok && module != "" {
		return module
	}
	return string(a)
}

func appendBinary(b []byte, s string) []byte {
	if utf8.ValidString(s) {
		return appendText(b, s)
	}
	b = append(appendForm(b, formBinary), '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(s))
	return append(b, `"}`...)
}

// appendFloat keeps a float from looking like an integer.
func appendFloat(b []byte, f float64) []byte {
	n := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	if !strings.ContainsAny(string(b[n:]), ".e") {
		b = append(b, ".0"...)
	}
	return b
}

func appendArray(b []byte, ts []etf.Term) []byte {
	b = append(b, '[')
	for i, t := range ts {
		if i > 0 {
			b = append(b, ',')
		}
		b = Append(b, t)
	}
	return append(b, ']')
}

func appendMap(b []byte, m etf.Map) []byte {
	if at, ok := calendarText(m); ok {
		return appendText(b, at)
	}
	keys, ok := keysOf(m)
	if !ok {
		return appendPairs(b, m)
	}
	b = append(b, '{')
	comma := false
	for _, first := range [...]bool{true, false} { // the name of a struct is what it is read by
		for i, p := range m {
			if (p.Key == etf.Term(structKey)) != first {
				continue
			}
			if comma {
				b = append(b, ',')
			}
			comma = true
			b = append(appendText(b, keys[i]), ':')
			b = Append(b, p.Value)
		}
	}
	return append(b, '}')
}

const structKey = etf.Atom("__struct__")

// keysOf is the keys' texts, unless they would not all be there and tell each other
// apart, or be taken for a form.
func keysOf(m etf.Map) ([]string, bool) {
	keys := make([]string, len(m))
	seen := make(map[string]bool, len(m))
	for i, p := range m {
		switch k := p.Key.(type) {
		case string:
			if !utf8.ValidString(k) {
				return nil, false
			}
			keys[i] = k
		case etf.Atom:
			keys[i] = AtomText(k)
		case int:
			keys[i] = strconv.Itoa(k)
		default:
			return nil, false
		}
		if seen[keys[i]] {
			return nil, false
		}
		seen[keys[i]] = true
	}
	return keys, len(m) != 1 || !strings.HasPrefix(keys[0], "$")
}

func appendPairs(b []byte, m etf.Map) []byte {
	b = append(appendForm(b, formMap), '[')
	for i, p := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendArray(b, []etf.Term{p.Key, p.Value})
	}
	return append(b, "]}"...)
}

// appendText appends a string. What is not UTF-8 in it becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029':
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
