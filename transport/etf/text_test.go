package etf_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ehc/transport/etf"
)

func TestText(t *testing.T) {
	pid := etf.Pid{Node: "go@127.0.0.1", ID: 12, Serial: 3, Creation: 4}
	loop := etf.Tuple{nil, nil}
	loop[0], loop[1] = loop, loop
	for _, c := range []struct {
		name string
		term etf.Term
		want string
	}{
		{"a tuple of an atom and a binary", etf.Tuple{etf.Atom("ok"), "abc"}, `{ok,<<"abc">>}`},
		{"an atom with an at sign", etf.Atom("a_B9@c"), "a_B9@c"},
		{"an Elixir module", etf.Atom("Elixir.Foo"), "'Elixir.Foo'"},
		{"an atom with a quote and a line", etf.Atom("it's\n\\"), `'it\'s\n\\'`},
		{"a reserved word", etf.Atom("end"), "'end'"},
		{"the empty atom", etf.Atom(""), "''"},
		{"an atom outside ASCII", etf.Atom("größe"), "'größe'"},
		{"an atom with a control character", etf.Atom("a\x00"), `'a\x{0}'`},
		{"booleans of Go", etf.List{true, false}, "[true,false]"},
		{"a binary with quotes", `a"b\`, `<<"a\"b\\">>`},
		{"a binary outside ASCII", "größe", `<<"größe"/utf8>>`},
		{"a binary that is no text", "\x00\xff", "<<0,255>>"},
		{"the empty binary", "", "<<>>"},
		{"bytes of Go", []byte("abc"), `<<"abc">>`},
		{"a bit string", etf.BitString{Bytes: "\x01\xa0", Bits: 3}, "<<1,5:3>>"},
		{"a list of characters", etf.List{97, 98}, "[97,98]"},
		{"an improper list", etf.ImproperList{Elems: []etf.Term{etf.Atom("a")}, Tail: etf.Atom("b")}, "[a|b]"},
		{"a map", etf.Map{{etf.Atom("a"), 1}, {"b", etf.List{}}}, `#{a => 1,<<"b">> => []}`},
		{"a whole float", 3.0, "3.0"},
		{"a large float", 1e100, "1.0e+100"},
		{"a small float", -1.5e-9, "-1.5e-09"},
		{"integers of Go", etf.Tuple{int8(-1), uint64(1 << 63)}, "{-1,9223372036854775808}"},
		{"a large integer", bigInt(t, "-123456789012345678901234567890"), "-123456789012345678901234567890"},
		{"an integer too large to write out", power(1 << 20), "#Integer<8388609 bits>"},
		{"a nil integer", (*big.Int)(nil), "#Go<nil>"},
		{"a pid", pid, "#Pid<go@127.0.0.1.12.3>"},
		{"a reference", etf.Ref{Node: "a@b", Len: 3, ID: [5]uint32{1, 2, 3, 4}}, "#Ref<a@b.1.2.3>"},
		{"a reference of impossible size", etf.Ref{Node: "a@b", Len: 200}, "#Ref<a@b.0.0.0.0.0>"},
		{"a port", etf.Port{Node: "a@b", ID: 7}, "#Port<a@b.7>"},
		{"a fun by name", etf.Export{Module: "Elixir.Foo", Function: "bar?", Arity: 2}, "fun 'Elixir.Foo':'bar?'/2"},
		{"a local fun", etf.Opaque(unhex(t, newFun)), "#Fun<63 bytes>"},
		{"a native record", etf.Opaque(unhex(t, nativeRecord)), "#Record<26 bytes>"},
		{"a Raw", etf.Raw{106}, "#Raw<1 bytes>"},
		{"a nil", nil, "#Go<<nil>>"},
		{"another Go type", etf.Tuple{struct{}{}}, "{#Go<struct {}>}"},
		{"a bit string of impossible size", etf.BitString{Bits: 9}, "#Go<etf.BitString>"},
		{"a tuple that contains itself", loop, strings.Repeat("{", 4096) + "..."},
		{"a long binary", strings.Repeat("x", 1<<20), `<<"` + strings.Repeat("x", 4093) + "..."},
		{"a text cut before a character, not inside", strings.Repeat("é", 5000), `<<"` + strings.Repeat("é", 2046) + "..."},
		{"a long list", repeat(100000), ""},
		{"long bytes that are no text", strings.Repeat("\x00", 1<<20), ""},
		{"a long atom of control characters", etf.Atom(strings.Repeat("\x00", 1<<20)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := etf.Text(c.term)
			if c.want != "" && got != c.want {
				t.Errorf("got  %.200s\nwant %.200s", got, c.want)
			}
			if c.want == "" && (!strings.HasSuffix(got, "...") || len(got) != 4096+3) {
				t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-10):])
			}
			if !utf8.ValidString(got) {
				t.Error("not UTF-8")
			}
			if s, ok := c.term.(fmt.Stringer); ok && c.name != "a nil integer" {
				if _, isBig := s.(*big.Int); !isBig && s.String() != got {
					t.Error("String is not Text")
				}
			}
		})
	}
}

// readable generates terms whose text Erlang can read.
func readable(depth int) *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		return writable(terms(depth).Draw(t, "term"))
	})
}

// writable replaces what has no syntax by its kind.
func writable(t etf.Term) etf.Term {
	all := func(ts []etf.Term) []etf.Term {
		out := make([]etf.Term, len(ts))
		for i, t := range ts {
			out[i] = writable(t)
		}
		return out
	}
	switch v := t.(type) {
	case etf.Pid, etf.Ref, etf.Port:
		return etf.Atom(fmt.Sprintf("%T", v))
	case etf.Tuple:
		return etf.Tuple(all(v))
	case etf.List:
		return etf.List(all(v))
	case etf.ImproperList:
		return etf.ImproperList{Elems: all(v.Elems), Tail: writable(v.Tail)}
	case etf.Map:
		m, seen := etf.Map{}, map[string]bool{}
		for _, p := range v {
			key := writable(p.Key)
			if !seen[canon(key)] {
				seen[canon(key)] = true
				m = append(m, etf.Pair{Key: key, Value: writable(p.Value)})
			}
		}
		return m
	}
	return t
}
