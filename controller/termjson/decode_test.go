package termjson_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/controller/termjson"
	"ehc/transport/etf"
)

var sameBig = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

func TestDecode(t *testing.T) {
	long, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	atom := func(s string) etf.Term { return etf.Atom(s) }
	for name, c := range map[string]struct {
		json string
		want etf.Term
	}{
		"text is a binary":                  {`"blög"`, "blög"},
		"true, false and null are atoms":    {`[true,false,null]`, etf.List{atom("true"), atom("false"), atom("nil")}},
		"a long integer stays whole":        {`123456789012345678901234567890`, long},
		"a point makes a float":             {`[1, 1.0, 1e2]`, etf.List{1, 1.0, 100.0}},
		"keys are binaries":                 {`{"a":{"b":1}}`, etf.Map{{Key: "a", Value: etf.Map{{Key: "b", Value: 1}}}}},
		"of a key that stands twice, last":  {`{"a":1,"b":2,"a":3}`, etf.Map{{Key: "a", Value: 3}, {Key: "b", Value: 2}}},
		"an atom":                           {`{"$atom":"ok"}`, atom("ok")},
		"a tuple":                           {`{"$tuple":[{"$atom":"ok"},[1]]}`, etf.Tuple{atom("ok"), etf.List{1}}},
		"an empty tuple":                    {`{"$tuple":[]}`, etf.Tuple{}},
		"bytes":                             {`{"$binary":"/wA="}`, "\xff\x00"},
		"any keys":                          {`{"$map":[[{"$atom":"n"},1],[{"$tuple":[1]},2]]}`, etf.Map{{Key: atom("n"), Value: 1}, {Key: etf.Tuple{1}, Value: 2}}},
		"a map that looks like a form":      {`{"$map":[["$atom","x"]]}`, etf.Map{{Key: "$atom", Value: "x"}}},
		"an improper list":                  {`{"$improper":[["a"],"b"]}`, etf.ImproperList{Elems: []etf.Term{"a"}, Tail: "b"}},
		"a form's name among others is one": {`{"$atom":"ok","a":1}`, etf.Map{{Key: "$atom", Value: "ok"}, {Key: "a", Value: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := termjson.Decode([]byte(c.json))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, sameBig); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "unexpected EOF",
		`[1`:                            "unexpected EOF",
		`{"a":1`:                        "unexpected EOF",
		`1 2`:                           "followed by more text",
		`{"a":1e999}`:                   "does not fit a float",
		strings.Repeat("[", 100):        "nested deeper than 64",
		`{"$atom":1}`:                   "$atom: want a string",
		`{"$tuple":1}`:                  "$tuple: want an array",
		`{"$binary":"?"}`:               "$binary: want bytes in base64",
		`{"$map":[1]}`:                  "$map: want [[KEY, VALUE], …]",
		`{"$map":[["a",1],["a",2]]}`:    "stands there before",
		`{"$improper":[["a"],["b"]]}`:   "$improper: want",
		`{"$erlang":"#Pid<a@b.1.2>"}`:   "$erlang is for reading",
		`{"$atum":"x"}`:                 `unknown form "$atum"`,
		`{"$atom":"` + long(300) + `"}`: "$atom: ",
	} {
		if got, err := termjson.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func TestFieldsAreAtomsAndWhatIsBelowIsNot(t *testing.T) {
	got, err := termjson.Fields([]byte(`{"a":{"b":1},"c":[{"$atom":"d"}]}`))
	want := etf.Map{
		{Key: etf.Atom("a"), Value: etf.Map{{Key: "b", Value: 1}}},
		{Key: etf.Atom("c"), Value: etf.List{etf.Map{{Key: "$atom", Value: "d"}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("-want +got:\n%s%v", diff, err)
	}
	for _, text := range []string{`[1]`, ``, `{"a":1`, `{} {}`} {
		if got, err := termjson.Fields([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A long number takes a time that grows with the square of its length: a megabyte, as
// in the payload of an event, took seconds.
func TestANumberThatIsTooLongIsAnError(t *testing.T) {
	longest := new(big.Int).Neg(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 16<<10), big.NewInt(1)))
	back, err := termjson.Decode(termjson.Encode(longest))
	if n, ok := back.(*big.Int); err != nil || !ok || n.Cmp(longest) != 0 {
		t.Errorf("the longest that is written does not come back: %v", err)
	}
	for _, text := range []string{strings.Repeat("7", 1<<20), "[-" + strings.Repeat("7", 5000) + "]", "0." + strings.Repeat("7", 1<<20), "1e" + strings.Repeat("7", 1<<20)} {
		if _, err := termjson.Decode([]byte(text)); err == nil || len(err.Error()) > 100 {
			t.Errorf("%.10s… of %d bytes: %.100v", text, len(text), err)
		}
	}
}

// Of terms that have a form or a value of JSON's own, what comes back is what went;
// of atoms and tuples, their text and their elements.
func TestWhatIsReadBackEncodesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := termjson.Encode(terms(4).Draw(t, "term"))
		if !json.Valid(once) {
			t.Fatalf("%s is no JSON", once)
		}
		back, err := termjson.Decode(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if again := termjson.Encode(back); string(again) != string(once) {
			t.Fatalf("%s became %s", once, again)
		}
	})
}

func terms(depth int) *rapid.Generator[etf.Term] {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"$atom", "$map", "$x", "__struct__", "a"}))
	leaves := []*rapid.Generator[etf.Term]{
		rapid.Int().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(), text.AsAny(),
		rapid.Map(rapid.StringN(0, 9, 200), func(s string) etf.Atom { return etf.Atom(s) }).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	inner := rapid.Deferred(func() *rapid.Generator[etf.Term] { return terms(depth - 1) })
	few := rapid.SliceOfN(inner, 0, 4)
	return rapid.OneOf(append(leaves,
		rapid.Map(few, func(e []etf.Term) etf.Tuple { return etf.Tuple(e) }).AsAny(),
		rapid.Map(few, func(e []etf.Term) etf.List { return etf.List(e) }).AsAny(),
		rapid.Map(rapid.MapOfN(text, inner, 0, 4), func(e map[string]etf.Term) etf.Map {
			m := etf.Map{}
			for k, v := range e {
				m = append(m, etf.Pair{Key: k, Value: v})
			}
			return m
		}).AsAny(),
	)...)
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":{"b":[1,2.5,"x",null]}}`, `{"a":1e5,"a":2}`, `{"é":"\u0000"}`, `{"$map":[[{"$atom":"a"},{"$tuple":[]}]]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := termjson.Decode(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is no JSON but became %s", text, etf.Text(got))
		}
		if _, err := etf.Encode(got); err != nil {
			t.Fatalf("%q became %s, which cannot be sent: %v", text, etf.Text(got), err)
		}
		if back := termjson.Encode(got); !json.Valid(back) {
			t.Fatalf("%q went round to %q", text, back)
		}
	})
}
