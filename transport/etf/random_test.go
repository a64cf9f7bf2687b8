package etf_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ehc/transport/etf"
)

func TestRandomTermsComeBackEqual(t *testing.T) {
	d := etf.NewDecoder(etf.Limits{Atoms: 10, Keys: 10})
	rapid.Check(t, func(t *rapid.T) {
		term := terms(4).Draw(t, "term")
		b, err := etf.Append(nil, term)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := d.Term(b)
		if err != nil || len(rest) > 0 {
			t.Fatalf("% x: rest % x, %v", b, rest, err)
		}
		if !equal(term, got) {
			t.Fatalf("% x: sent %v, got %v", b, term, got)
		}
		if rest, err := etf.Skip(b); err != nil || len(rest) > 0 {
			t.Fatalf("skip % x: rest % x, %v", b, rest, err)
		}
		if again, err := etf.Append(nil, got); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("% x became % x: %v", b, again, err)
		}
	})
}

func TestRandomBytesNeverPanic(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	rapid.Check(t, func(t *rapid.T) {
		b, err := etf.Append(nil, terms(3).Draw(t, "term"))
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[at] = rapid.Byte().Draw(t, "byte")
		checkBytes(t, d, b)
	})
}

// terms generates terms in the form in which Decode gives them, with
// containers up to depth deep.
func terms(depth int) *rapid.Generator[etf.Term] {
	leaves := []*rapid.Generator[etf.Term]{
		rapid.Int().AsAny(),
		rapid.IntRange(-300, 300).AsAny(),
		rapid.Custom(drawBig).AsAny(),
		rapid.Custom(drawFloat).AsAny(),
		rapid.Map(rapid.StringN(0, 255, -1), func(s string) etf.Atom { return etf.Atom(s) }).AsAny(),
		rapid.String().AsAny(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }).AsAny(),
		rapid.Custom(drawBits).AsAny(),
		rapid.Custom(drawPid).AsAny(),
		rapid.Custom(drawRef).AsAny(),
		rapid.Custom(drawPort).AsAny(),
		rapid.Custom(drawExport).AsAny(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), byteList).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	inner := rapid.Deferred(func() *rapid.Generator[etf.Term] { return terms(depth - 1) })
	few := rapid.SliceOfN(inner, 0, 5)
	return rapid.OneOf(append(leaves,
		rapid.Map(few, func(e []etf.Term) etf.Tuple { return etf.Tuple(e) }).AsAny(),
		rapid.Map(few, func(e []etf.Term) etf.List { return etf.List(e) }).AsAny(),
		rapid.Custom(func(t *rapid.T) etf.Term { return drawImproper(t, inner) }),
		rapid.Custom(func(t *rapid.T) etf.Map { return drawMap(t, inner) }).AsAny(),
	)...)
}

func drawBig(t *rapid.T) *big.Int {
	v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "digits"))
	v.Add(v, new(big.Int).SetUint64(1<<63+1))
	if rapid.Bool().Draw(t, "negative") {
		v.Neg(v)
	}
	return v
}

// drawFloat leaves out minus zero: OTP 27 tells it from zero and 25 does not,
// which matters where both are keys of one map.
func drawFloat(t *rapid.T) float64 {
	f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return rapid.SampledFrom([]float64{0, 1, -1, 0.1, 1e100, math.MaxFloat64, math.SmallestNonzeroFloat64}).Draw(t, "float")
	}
	return f
}

func drawBits(t *rapid.T) etf.BitString {
	b := rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "bytes")
	bits := rapid.Uint8Range(1, 7).Draw(t, "bits")
	b[len(b)-1] &= 0xff << (8 - bits)
	return etf.BitString{Bytes: string(b), Bits: bits}
}

var nodes = rapid.SampledFrom([]etf.Atom{"a@b", "go@127.0.0.1", "billing-01HX@fdaa:0:1::7", "größe@höhe"})

func drawPid(t *rapid.T) etf.Pid {
	return etf.Pid{Node: nodes.Draw(t, "node"), ID: word(t), Serial: word(t), Creation: word(t)}
}

func drawRef(t *rapid.T) etf.Ref {
	r := etf.Ref{Node: nodes.Draw(t, "node"), Creation: word(t), Len: rapid.Uint8Range(1, 5).Draw(t, "len")}
	for i := range r.Len {
		r.ID[i] = word(t)
	}
	return r
}

func drawPort(t *rapid.T) etf.Port {
	return etf.Port{Node: nodes.Draw(t, "node"), ID: rapid.Uint64().Draw(t, "id"), Creation: word(t)}
}

func drawExport(t *rapid.T) etf.Export {
	name := rapid.SampledFrom([]etf.Atom{"lists", "map", "Elixir.Remote.Metrics", "an odd name", ""})
	return etf.Export{Module: name.Draw(t, "module"), Function: name.Draw(t, "function"), Arity: rapid.IntRange(0, 255).Draw(t, "arity")}
}

func word(t *rapid.T) uint32 { return rapid.Uint32().Draw(t, "word") }

func byteList(b []byte) etf.List {
	l := make(etf.List, len(b))
	for i, c := range b {
		l[i] = int(c)
	}
	return l
}

func drawImproper(t *rapid.T, inner *rapid.Generator[etf.Term]) etf.Term {
	elems := rapid.SliceOfN(inner, 1, 3).Draw(t, "elems")
	switch tail := inner.Draw(t, "tail").(type) {
	case etf.List:
		return append(etf.List(elems), tail...)
	case etf.ImproperList:
		return etf.ImproperList{Elems: append(elems, tail.Elems...), Tail: tail.Tail}
	default:
		return etf.ImproperList{Elems: elems, Tail: tail}
	}
}

// drawMap leaves out keys that are the same term as an earlier one.
func drawMap(t *rapid.T, inner *rapid.Generator[etf.Term]) etf.Map {
	m := etf.Map{}
	seen := map[string]bool{}
	for range rapid.IntRange(0, 5).Draw(t, "entries") {
		key, value := inner.Draw(t, "key"), inner.Draw(t, "value")
		if c := canon(key); !seen[c] {
			seen[c] = true
			m = append(m, etf.Pair{Key: key, Value: value})
		}
	}
	return m
}

// equal says whether two terms are the same Go values, entries of maps in the
// same order. It stands in for cmp.Equal where terms can be nested deeply: the
// time which that takes doubles with every level.
func equal(a, b etf.Term) bool {
	all := func(as, bs []etf.Term) bool { return slices.EqualFunc(as, bs, equal) }
	switch a := a.(type) {
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case etf.Tuple:
		b, ok := b.(etf.Tuple)
		return ok && all(a, b)
	case etf.List:
		b, ok := b.(etf.List)
		return ok && all(a, b)
	case etf.ImproperList:
		b, ok := b.(etf.ImproperList)
		return ok && all(a.Elems, b.Elems) && equal(a.Tail, b.Tail)
	case etf.Map:
		b, ok := b.(etf.Map)
		return ok && slices.EqualFunc(a, b, func(p, q etf.Pair) bool { return equal(p.Key, q.Key) && equal(p.Value, q.Value) })
	}
	return a == b
}

// canon returns a text that is equal for equal terms, in whatever order the
// entries of their maps are.
func canon(t etf.Term) string {
	all := func(ts []etf.Term) string {
		var b strings.Builder
		for _, t := range ts {
			c := canon(t)
			fmt.Fprintf(&b, "%d:%s,", len(c), c)
		}
		return b.String()
	}
	switch v := t.(type) {
	case etf.Tuple:
		return "tuple " + all(v)
	case etf.List:
		return "list " + all(v)
	case etf.ImproperList:
		return "improper " + all(v.Elems) + "|" + canon(v.Tail)
	case etf.Map:
		var entries []string
		for _, p := range v {
			entries = append(entries, all([]etf.Term{p.Key, p.Value}))
		}
		slices.Sort(entries)
		return "map " + strings.Join(entries, ";")
	}
	b, err := etf.Append(nil, t)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
