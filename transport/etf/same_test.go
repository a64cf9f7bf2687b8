package etf_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ehc/transport/etf"
)

// forms are keys in two forms each: the same to Erlang, or not.
var forms = []struct {
	name     string
	one, two string
	same     bool
}{
	{"maps in another order", "74 00000002 61 01 6a 61 02 6a", "74 00000002 61 02 6a 61 01 6a", true},
	{"maps with another value", "74 00000002 61 01 6a 61 02 6a", "74 00000002 61 02 6a 61 01 61 00", false},
	{"maps whose values have changed places", "74 00000002 61 01 61 07 61 02 61 08", "74 00000002 61 01 61 08 61 02 61 07", false},
	{"an empty map and an empty list", "74 00000000", "6a", false},
	{"maps in maps in another order", "74 00000001 74 00000002 61 01 6a 61 02 6a 6a", "74 00000001 74 00000002 61 02 6a 61 01 6a 6a", true},
	{"tuples of maps in another order", "68 01 74 00000002 61 01 6a 61 02 6a", "68 01 74 00000002 61 02 6a 61 01 6a", true},
	{"lists of maps in another order", "6c 00000001 74 00000002 61 01 6a 61 02 6a 6a", "6c 00000001 74 00000002 61 02 6a 61 01 6a 6a", true},
	{"references with and without zeros at the end", "5a 0003" + node + "00000001 00000002 00000003", "5a 0005" + node + "00000001 00000002 00000003 00000000 00000000", true},
	{"references of other words", "5a 0003" + node + "00000001 00000002 00000003", "5a 0005" + node + "00000001 00000002 00000003 00000000 00000001", false},
	{"references with zeros elsewhere", "5a 0002" + node + "00000000 00000001", "5a 0002" + node + "00000001 00000000", false},
	{"an integer and a float", "61 01", "46 3ff0000000000000", false},
	{"the same float", "46 3ff0000000000000", "46 3ff0000000000000", true},
	{"a tuple and a list", "68 01 6a", "6c 00000001 6a 6a", false},
	{"a list and an improper one", "6c 00000001 61 01 6a", "6c 00000001 61 01 61 02", false},
	{"lists of as many", "6c 00000001 6c 00000001 61 01 6a 6a", "6c 00000001 61 01 6a", false},
	{"funs of another creator", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "07", "01", "02", "03", "00000009", "61 01"), true},
	{"funs of another version of their module", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "08", "01", "02", "03", "00000004", "61 01"), true},
	{"funs of another arity", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("02", "07", "01", "02", "03", "00000004", "61 01"), true},
	{"funs of another old index", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "07", "01", "05", "03", "00000004", "61 01"), true},
	{"funs that hold the same integer", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "07", "01", "02", "03", "00000004", "62 00000001"), true},
	{"funs that hold the same large integer", fn("01", "07", "01", "02", "03", "00000004", "62 ffffff00"), fn("01", "07", "01", "02", "03", "00000004", "6f 00000003 01 000100"), true},
	{"funs that hold the same atom", fn("01", "07", "01", "02", "03", "00000004", "73 01 e9"), fn("01", "07", "01", "02", "03", "00000004", "76 0002 c3a9"), true},
	{"funs that hold the same string", fn("01", "07", "01", "02", "03", "00000004", "6b 0002 0102"), fn("01", "07", "01", "02", "03", "00000004", "6c 00000001 61 01 6c 00000001 61 02 6a"), true},
	{"funs that hold the same improper list", fn("01", "07", "01", "02", "03", "00000004", "6c 00000002 61 01 61 02 61 03"), fn("01", "07", "01", "02", "03", "00000004", "6c 00000001 61 01 6c 00000001 61 02 61 03"), true},
	{"funs that hold the same binary", fn("01", "07", "01", "02", "03", "00000004", "6d 00000001 61"), fn("01", "07", "01", "02", "03", "00000004", "4d 00000001 08 61"), true},
	{"funs that hold the same bits", fn("01", "07", "01", "02", "03", "00000004", "4d 00000001 03 a0"), fn("01", "07", "01", "02", "03", "00000004", "4d 00000001 03 bf"), true},
	{"funs that hold the same float", fn("01", "07", "01", "02", "03", "00000004", "46 3ff8000000000000"), fn("01", "07", "01", "02", "03", "00000004", "63 '1.5e0'"+strings.Repeat("00", 26)), true},
	{"funs that hold the same port", fn("01", "07", "01", "02", "03", "00000004", "59 77 01 'a' 00000005 00000001"), fn("01", "07", "01", "02", "03", "00000004", "78 77 01 'a' 0000000000000005 00000001"), true},
	{"funs that hold another", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "07", "01", "02", "03", "00000004", "61 02"), false},
	{"funs that hold another pid", fn("01", "07", "01", "02", "03", "00000004", "58 77 01 'a' 00000001 00000000 00000001"), fn("01", "07", "01", "02", "03", "00000004", "58 77 01 'a' 00000001 00000000 00000002"), false},
	{"funs that hold other funs by name", fn("01", "07", "01", "02", "03", "00000004", "71 77 01 'm' 77 01 'f' 61 01"), fn("01", "07", "01", "02", "03", "00000004", "71 77 01 'm' 77 01 'f' 61 02"), false},
	{"funs of another index", fn("01", "07", "01", "02", "03", "00000004", "61 01"), fn("01", "07", "02", "02", "03", "00000004", "61 01"), false},
}

const node = " 77 03 'a@b' 00000001 "

// fn is a local fun that holds one term.
func fn(arity, uniq, index, oldIndex, oldUniq, pid, free string) string {
	rest := arity + strings.Repeat("00", 15) + uniq + "000000" + index + "00000001" + "77 02 'mm' 61" + oldIndex + "61" + oldUniq + "58 77 01 'a'" + pid + "00000000 00000000"
	return rest + "|" + free
}

// form is the bytes of a key; a fun has its size put before it.
func form(t testing.TB, text string) []byte {
	t.Helper()
	head, free, ok := strings.Cut(text, "|")
	if !ok {
		return unhex(t, text)
	}
	b := append(unhex(t, head), unhex(t, free)...)
	n := len(b) + 4
	return append([]byte{112, 0, 0, byte(n >> 8), byte(n)}, b...)
}

// TestAKeyInTwoForms: what Erlang takes for one key is not sent twice, and what it takes
// for two is.
func TestAKeyInTwoForms(t *testing.T) {
	erl := startErlang(t)
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			pair := append(form(t, f.one), 106)
			pair = append(append(pair, form(t, f.two)...), 106)
			m := append([]byte{131, 116, 0, 0, 0, 2}, pair...)
			if answer := erl.ask(t, 'e', m); (answer[0] == 131) == f.same {
				t.Fatalf("erl answers %.40q", answer)
			}
			for where, b := range map[string][]byte{
				"alone": m, "deep inside": append([]byte{131, 104, 1, 116, 0, 0, 0, 1, 106}, m[1:]...),
				"in a fun": append([]byte{131}, form(t, fn("01", "07", "01", "02", "03", "00000004", "")+hex.EncodeToString(m[1:]))...),
			} {
				term, err := etf.Decode(b)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := etf.Append(nil, term); errors.Is(err, etf.ErrKeyTwice) != f.same || !f.same && err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
		})
	}
}

// mixed is t with its maps in another order and zeros after its references.
func mixed(t etf.Term) etf.Term {
	all := func(ts []etf.Term) []etf.Term {
		out := make([]etf.Term, len(ts))
		for i, t := range ts {
			out[i] = mixed(t)
		}
		return out
	}
	switch v := t.(type) {
	case etf.Tuple:
		return etf.Tuple(all(v))
	case etf.List:
		return etf.List(all(v))
	case etf.ImproperList:
		return etf.ImproperList{Elems: all(v.Elems), Tail: mixed(v.Tail)}
	case etf.Ref:
		v.Len = 5
		return v
	case etf.Map:
		out := make(etf.Map, len(v))
		for i, j := range rand.Perm(len(v)) {
			out[i] = etf.Pair{Key: mixed(v[j].Key), Value: mixed(v[j].Value)}
		}
		return out
	}
	return t
}

func TestAnyTermInTwoFormsIsOneKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := terms(4).Draw(t, "key")
		_, err := etf.Append(nil, etf.Map{{Key: etf.Tuple{key, etf.Map{}}, Value: 1}, {Key: etf.Tuple{mixed(key), etf.Map{}}, Value: 2}})
		if !errors.Is(err, etf.ErrKeyTwice) {
			t.Fatalf("%v and %v: %v", key, mixed(key), err)
		}
		if _, err := etf.Append(nil, etf.Map{{Key: etf.Tuple{key, etf.Map{}}, Value: 1}, {Key: etf.Tuple{key, 0}, Value: 2}}); err != nil {
			t.Fatalf("%v: %v", key, err)
		}
	})
}
