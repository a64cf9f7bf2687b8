package etf_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"ehc/transport/etf"
)

// refused is what Into says to a term.
func refused[T any](t etf.Term) func() error {
	return func() error { _, err := etf.As[T](t); return err }
}

func from(v any) func() error {
	return func() error { _, err := etf.From(v); return err }
}

type embeds struct{ visit }

func TestErrorsSayWhere(t *testing.T) {
	event := func(key string, v etf.Term) etf.Map {
		m, err := etf.From(remoteEvent{ID: "1", Kind: "x", At: at})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range m.(etf.Map) {
			if p.Key == etf.Term(etf.Atom(key)) {
				m.(etf.Map)[i].Value = v
			}
		}
		return m.(etf.Map)
	}
	payload := func(delta etf.Term) etf.Map {
		return etf.Map{pair(etf.Atom("page_id"), "/"), pair(etf.Atom("delta"), delta)}
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 70)
	for _, c := range []struct {
		name string
		err  func() error
		want string
	}{
		{"an overflow", refused[remoteEvent](event("payload", payload(300))), "payload.delta: 300 does not fit int8"},
		{"an overflow of a large one", refused[[]int](etf.List{1, huge}), "[1]: 1180591620717411303424 does not fit int"},
		{"a huge one", refused[int](new(big.Int).Lsh(huge, 1000)), "an integer of 1071 bits does not fit int"},
		{"a negative one", refused[uint](-1), "-1 does not fit uint"},
		{"another kind", refused[remoteEvent](event("payload", payload("3"))), "payload.delta: a binary is no integer"},
		{"a float is no integer", refused[int](1.0), "a float is no integer"},
		{"an integer that no float holds", refused[float64](1<<53 + 1), "9007199254740993 does not fit float64"},
		{"a float that is too large", refused[float32](1e300), "1.0e+300 does not fit float32"},
		{"a list is no binary", refused[string](etf.List{104, 105}), "a list is no binary"},
		{"an atom is no string", refused[string](etf.Atom("hi")), "the atom hi is no binary"},
		{"a string is no atom", refused[remoteEvent](event("type", "x")), "type: a binary is no atom"},
		{"nil is no list", refused[[]int](etf.Atom("nil")), "the atom nil is no list"},
		{"nil is no number", refused[map[string]int](etf.Map{pair("k", etf.Atom("nil"))}), `[<<"k">>]: the atom nil is no integer`},
		{"undefined is no pointer", refused[*int](etf.Atom("undefined")), "the atom undefined is no integer"},
		{"no boolean", refused[bool](etf.Atom("yes")), "the atom yes is no boolean"},
		{"an improper list", refused[[]int](etf.ImproperList{Elems: []etf.Term{1}, Tail: 2}), "an improper list is no list"},
		{"a list of another length", refused[[3]int](etf.List{1}), "a list of 1 does not fit [3]int"},
		{"bytes of another length", refused[[3]byte]("xy"), "a binary of 2 bytes does not fit [3]uint8"},
		{"a missing key", refused[visit](etf.Map{pair(etf.Atom("page_id"), "/")}), "delta: missing"},
		{"a missing key deep down", refused[map[int][]visit](etf.Map{pair(7, etf.List{etf.Map{}})}), "[7][0].page_id: missing"},
		{"keys of the other kind", refused[headers](etf.Map{pair(etf.Atom("host"), "x")}), "host: missing"},
		{"another struct", refused[remoteEvent](etf.Map{pair(etf.Atom("__struct__"), etf.Atom("Elixir.Other"))}), "a struct 'Elixir.Other' is no struct 'Elixir.Remote.Event'"},
		{"no struct", refused[remoteEvent](payload(1)), "a map is no struct 'Elixir.Remote.Event'"},
		{"no map", refused[visit](etf.List{}), "a list is no map"},
		{"a tuple of another size", refused[point](etf.Tuple{1}), "a tuple of 1 is no tuple of 2"},
		{"a tuple of another tag", refused[reply](etf.Tuple{etf.Atom("error"), 1}), "the tuple does not begin with ok"},
		{"within a tuple", refused[point](etf.Tuple{1, "x"}), "y: a binary is no float"},
		{"no tuple", refused[etf.Tuple](etf.List{1}), "a list is no etf.Tuple"},
		{"a key that Go cannot hold", refused[map[any]int](etf.Map{pair(etf.List{1}, 1)}), "key a list is no key in Go"},
		{"keys that are one in Go", refused[map[float64]int](etf.Map{pair(1, 1), pair(1.0, 2)}), "key 1.0 stands twice"},
		{"a key of another kind", refused[map[string]int](etf.Map{pair(1, 1)}), "key: an integer is no binary"},
		{"a day that is not", refused[time.Time](dateTime(2026, etf.Tuple{1_000_000, 6}, "Etc/UTC", 0, 0)), "no valid DateTime of the ISO calendar"},
		{"a time that lacks a part", refused[remoteEvent](event("inserted_at", dateTime(2026, etf.Tuple{1}, "Etc/UTC", 0, 0))), "inserted_at.microsecond: a tuple of 1 is no tuple of 2"},
		{"no term at all", refused[any](nil), "a Go nil is no term"},

		{"a channel", from(make(chan int)), "Go type chan int: a chan is no term"},
		{"a function within", from([]func(){nil}), "Go type func(): a func is no term"},
		{"an interface with methods", from([]error{errors.New("x")}), "Go type error: an interface with methods is no term"},
		{"a pointer to a pointer", from(ptr(ptr(1))), "Go type **int: a pointer to what may be nil itself is no term"},
		{"a channel in any", from(map[string]any{"c": make(chan int)}), `[<<"c">>]: Go type chan int: a chan is no term`},
		{"not a number", from(visitRatio{math.NaN()}), "ratio: float NaN is not finite"},
		{"an atom that is no UTF-8", from([]etf.Atom{"ok", "\xff"}), `[1]: atom "\xff": not UTF-8`},
		{"keys that are one term", from(map[any]int{1: 1, uint8(1): 2}), "key 1 stands twice"},
		{"a year without an end", from([]time.Time{at.AddDate(10000, 0, 0)}), "[0]: year 12026 is beyond 9999"},
		{"no tags", from(struct{ A int }{}), "Go type struct { A int }: no field has an erl tag"},
		{"an embedded struct", from(embeds{}), "Go type etf_test.embeds: embedded visit needs an erl tag"},
		{"an unexported field", from(struct {
			a int `erl:"a"`
		}{}), "Go type struct { a int \"erl:\\\"a\\\"\" }: field a is not exported"},
		{"an unknown option", from(struct {
			A int `erl:"a,atom"`
		}{}), "Go type struct { A int \"erl:\\\"a,atom\\\"\" }: field A: option \"atom\" is not known for this type"},
		{"two of one name", from(struct {
			A int `erl:"a"`
			B int `erl:"a"`
		}{}), "Go type struct { A int \"erl:\\\"a\\\"\"; B int \"erl:\\\"a\\\"\" }: field B: key a is taken"},
		{"an unknown marker", from(struct {
			_ struct{} `erl:"x,tupel"`
			A int      `erl:"a"`
		}{}), "Go type struct { _ struct {} \"erl:\\\"x,tupel\\\"\"; A int \"erl:\\\"a\\\"\" }: marker \"x,tupel\" is none of \",binary\", \",tuple\", \"tag,tuple\" and \"name,struct\""},
	} {
		var misfit *etf.FitError
		if err := c.err(); !errors.As(err, &misfit) || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

type visitRatio struct {
	Ratio float64 `erl:"ratio"`
}
