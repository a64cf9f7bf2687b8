package etf_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/transport/etf"
	"ehc/transport/transporttest/corpus"
)

// everything has a field of each form.
type everything struct {
	_       struct{}           `erl:"Elixir.Every.Thing,struct"`
	Bool    bool               `erl:"bool"`
	Int     int64              `erl:"int"`
	Small   int8               `erl:"small,omitempty"`
	Uint    uint64             `erl:"uint"`
	Big     *big.Int           `erl:"big"`
	Float   float64            `erl:"float"`
	Single  float32            `erl:"single"`
	Text    string             `erl:"text"`
	Kind    string             `erl:"kind,atom"`
	Atom    etf.Atom           `erl:"atom,omitempty"`
	Bytes   []byte             `erl:"bytes"`
	ID      [4]byte            `erl:"id"`
	At      time.Time          `erl:"at"`
	Maybe   *int               `erl:"maybe,omitempty"`
	Words   []string           `erl:"words"`
	Pair    [2]int32           `erl:"pair"`
	Counts  map[string]int     `erl:"counts"`
	ByTime  map[time.Time]bool `erl:"by_time"`
	Any     any                `erl:"any"`
	Points  []point            `erl:"points"`
	Headers *headers           `erl:"headers"`
	Pid     etf.Pid            `erl:"pid"`
}

func drawEverything(t *rapid.T) everything {
	short := rapid.StringN(0, 10, 20)
	return everything{
		Bool: rapid.Bool().Draw(t, "bool"), Int: rapid.Int64().Draw(t, "int"), Small: rapid.Int8().Draw(t, "small"),
		Uint: rapid.Uint64().Draw(t, "uint"), Big: drawBig(t), Float: drawFloat(t), Single: rapid.Float32Range(-1e9, 1e9).Draw(t, "single"),
		Text: rapid.String().Draw(t, "text"), Kind: short.Draw(t, "kind"), Atom: etf.Atom(short.Draw(t, "atom")),
		Bytes: rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), ID: [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "id")),
		At: drawTime(t), Maybe: rapid.Ptr(rapid.Int(), true).Draw(t, "maybe"), Words: rapid.SliceOf(short).Draw(t, "words"),
		Pair:    [2]int32{rapid.Int32().Draw(t, "first"), rapid.Int32().Draw(t, "second")},
		Counts:  rapid.MapOf(short, rapid.Int()).Draw(t, "counts"),
		ByTime:  rapid.MapOf(rapid.Custom(drawTime), rapid.Bool()).Draw(t, "by time"),
		Any:     terms(2).Draw(t, "any"),
		Points:  rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points"),
		Headers: rapid.Ptr(rapid.Custom(func(t *rapid.T) headers { return headers{Host: short.Draw(t, "host")} }), true).Draw(t, "headers"),
		Pid:     drawPid(t),
	}
}

func drawTime(t *rapid.T) time.Time {
	seconds := rapid.Int64Range(-377_000_000_000, 253_000_000_000).Draw(t, "seconds")
	return time.Unix(seconds, 1000*rapid.Int64Range(0, 999_999).Draw(t, "micros")).UTC()
}

func drawPoint(t *rapid.T) point {
	return point{X: rapid.Int().Draw(t, "x"), Y: rapid.Float32Range(-1, 1).Draw(t, "y")}
}

// sameValues compares what cmp cannot by itself.
var sameValues = cmp.Options{
	cmp.AllowUnexported(everything{}, headers{}, point{}, reply{}, remoteEvent{}),
	cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
}

func TestWhatGoesOutComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawEverything(t)
		term, err := etf.From(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := etf.Encode(term)
		if err != nil {
			t.Fatal(err)
		}
		if term, err = etf.Decode(b); err != nil {
			t.Fatal(err)
		}
		got, err := etf.As[everything](term)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got, sameValues); diff != "" {
			t.Fatal(diff)
		}
		again, err := etf.From(got)
		if err != nil {
			t.Fatal(err)
		}
		if canon(again) != canon(term) { // of keys that are times the order is any
			t.Fatalf("%v became %v", term, again)
		}
	})
}

func TestATermStandsForItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := terms(4).Draw(t, "term")
		got, err := etf.From(term)
		if err != nil || !equal(term, got) {
			t.Fatalf("from %v: %v, %v", term, got, err)
		}
		back, err := etf.As[any](term)
		if err != nil || !equal(term, back) {
			t.Fatalf("into any: %v, %v", back, err)
		}
	})
}

// FuzzInto holds that no term brings Into down, and that what fits goes out again
// and fits again, as the same value.
func FuzzInto(f *testing.F) {
	corpus.Hurry(f)
	for _, s := range samples(f) {
		f.Add(append([]byte{131}, unhex(f, s.bytes)...))
	}
	for _, v := range []any{remoteEvent{ID: "1", At: at}, tree{Kids: []tree{{}}}, headers{}, []point{{}}, reply{}, map[any]int{1: 2, "a": 3}, everything{At: at}} {
		t, err := etf.From(v)
		if err != nil {
			f.Fatal(err)
		}
		b, err := etf.Encode(t)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term, err := etf.Decode(b)
		if err != nil {
			return
		}
		fits[remoteEvent](t, term)
		fits[everything](t, term)
		fits[tree](t, term)
		fits[headers](t, term)
		fits[[]point](t, term)
		fits[reply](t, term)
		fits[map[any]any](t, term)
		fits[map[point]*float32](t, term)
		fits[[][]byte](t, term)
		fits[[2]any](t, term)
		fits[time.Time](t, term)
		fits[big.Int](t, term)
		fits[uint16](t, term)
	})
}

func fits[T any](t *testing.T, term etf.Term) {
	v, err := etf.As[T](term)
	if err != nil {
		return
	}
	out, err := etf.From(v)
	if err != nil {
		t.Fatalf("%v fits %T and is no term: %v", term, v, err)
	}
	again, err := etf.As[T](out)
	if err != nil {
		t.Fatalf("%v became %v, which does not fit %T: %v", term, out, v, err)
	}
	last, err := etf.From(again)
	if err != nil || canon(last) != canon(out) {
		t.Fatalf("%v became %v, then %v: %v", term, out, last, err)
	}
}

func BenchmarkFrom(b *testing.B) {
	for name, v := range map[string]any{
		"event":  remoteEvent{ID: "01J9ZK3V7Q8XWJ5T2M4N6P8R0S", Kind: "increment_visit", Payload: visit{PageID: "/blog", Delta: 1}, At: at},
		"struct": visit{PageID: "/blog", Delta: 1},
		"list":   make([]int, 1000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := etf.From(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkInto(b *testing.B) {
	b.Run("event", func(b *testing.B) {
		benchmarkInto[remoteEvent](b, remoteEvent{ID: "01J9ZK3V7Q8XWJ5T2M4N6P8R0S", Kind: "increment_visit", Payload: visit{PageID: "/blog", Delta: 1}, At: at})
	})
	b.Run("struct", func(b *testing.B) { benchmarkInto[visit](b, visit{PageID: "/blog", Delta: 1}) })
	b.Run("list", func(b *testing.B) { benchmarkInto[[]int](b, make([]int, 1000)) })
}

func benchmarkInto[T any](b *testing.B, v any) {
	t, err := etf.From(v)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := etf.As[T](t); err != nil {
			b.Fatal(err)
		}
	}
}
