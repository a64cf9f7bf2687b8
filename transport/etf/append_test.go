package etf_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/etf"
)

var bigs = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

func TestSamplesBothWays(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			want := unhex(t, s.bytes)
			got, err := etf.Append([]byte("before"), s.term)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]byte("before"), want...), got); diff != "" {
				t.Errorf("bytes (-want +got):\n%s", diff)
			}
			term, rest, err := d.Term(append(want, "after"...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.term, term, bigs); diff != "" {
				t.Errorf("term (-want +got):\n%s", diff)
			}
			if f, ok := term.(float64); ok && math.Signbit(f) != math.Signbit(s.term.(float64)) {
				t.Error("the sign is lost")
			}
			if string(rest) != "after" {
				t.Errorf("rest %q", rest)
			}
			rest, err = etf.Skip(append(want, "after"...))
			if err != nil || string(rest) != "after" {
				t.Errorf("skip: %q, %v", rest, err)
			}
		})
	}
}

func TestAppendTakesGoTypes(t *testing.T) {
	for _, c := range []struct {
		name string
		give etf.Term
		want etf.Term
	}{
		{"a bool is an atom", true, etf.Atom("true")},
		{"so is false", false, etf.Atom("false")},
		{"bytes are a binary", []byte{1, 2}, "\x01\x02"},
		{"int8", int8(-5), -5},
		{"int16", int16(-500), -500},
		{"int32", int32(math.MinInt32), math.MinInt32},
		{"int64", int64(math.MinInt64), math.MinInt64},
		{"uint", uint(7), 7},
		{"uint8", uint8(200), 200},
		{"uint16", uint16(60000), 60000},
		{"uint32", uint32(math.MaxUint32), math.MaxUint32},
		{"the largest uint64", uint64(math.MaxUint64), new(big.Int).SetUint64(math.MaxUint64)},
		{"the longest integer", power(65535*8 - 1), power(65535*8 - 1)},
		{"a big.Int that fits an int", big.NewInt(-3), -3},
		{"a nil list is the empty one", etf.List(nil), etf.List{}},
		{"a list of 65536 bytes has the long form", repeat(65536), repeat(65536)},
		{"a list of 65535 bytes has the short form", repeat(65535), repeat(65535)},
		{"a term already encoded", etf.Raw{104, 1, 106}, etf.Tuple{etf.List{}}},
		{"an improper list with a list as tail is proper",
			etf.ImproperList{Elems: []etf.Term{1}, Tail: etf.List{2, etf.Atom("a")}}, etf.List{1, 2, etf.Atom("a")}},
		{"bits that do not count become zero", etf.BitString{Bytes: "\xff\xff", Bits: 3}, etf.BitString{Bytes: "\xff\xe0", Bits: 3}},
		{"an atom of 255 characters of four bytes", etf.Atom(strings.Repeat("😀", 255)), etf.Atom(strings.Repeat("😀", 255))},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := etf.Encode(c.give)
			if err != nil {
				t.Fatal(err)
			}
			got, err := etf.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, bigs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func repeat(n int) etf.List {
	l := make(etf.List, n)
	for i := range l {
		l[i] = i % 256
	}
	return l
}

func TestAppendRefusesWhatPeersRefuse(t *testing.T) {
	for _, c := range []struct {
		name string
		term etf.Term
		says string
	}{
		{"NaN", math.NaN(), "float NaN"},
		{"infinity", math.Inf(-1), "float -Inf"},
		{"an integer of a byte more than OTP 27 has", power(65535 * 8), "524281 bytes"},
		{"such a one as Raw", append(etf.Raw{111, 0, 7, 0xff, 0xf9, 0}, make([]byte, 524281)...), "524281 bytes"},
		{"an atom of 256 characters", etf.Atom(strings.Repeat("é", 256)), "256 characters"},
		{"an atom that is no UTF-8", etf.Atom("a\xffb"), `atom "a\xffb": not UTF-8`},
		{"a pid of such a node", etf.Pid{Node: "\xff"}, "not UTF-8"},
		{"a port of such a node", etf.Port{Node: "\xff"}, "not UTF-8"},
		{"a reference of such a node", etf.Ref{Node: "\xff", Len: 1}, "not UTF-8"},
		{"a reference without words", etf.Ref{Node: "a@b"}, "reference of 0 words"},
		{"a reference of six words", etf.Ref{Node: "a@b", Len: 6}, "reference of 6 words"},
		{"no bits", etf.BitString{Bytes: "a"}, "0 bits"},
		{"eight bits", etf.BitString{Bytes: "a", Bits: 8}, "8 bits"},
		{"bits of no bytes", etf.BitString{Bits: 3}, "0 bytes"},
		{"a fun of arity 256", etf.Export{Module: "m", Function: "f", Arity: 256}, "arity 256"},
		{"a fun of negative arity", etf.Export{Module: "m", Function: "f", Arity: -1}, "arity -1"},
		{"a fun of a module with a long name", etf.Export{Module: etf.Atom(strings.Repeat("m", 256))}, "256 characters"},
		{"an improper list of nothing", etf.ImproperList{Tail: 1}, "improper list"},
		{"an improper list without a tail", etf.ImproperList{Elems: []etf.Term{1}}, "nil"},
		{"a nil", nil, "nil"},
		{"a nil big.Int", (*big.Int)(nil), "nil *big.Int"},
		{"an empty Raw", etf.Raw{}, "etf.Raw"},
		{"an empty Opaque", etf.Opaque(""), "etf.Opaque"},
		{"an Opaque that is a binary", etf.Opaque("m\x00\x00\x00\x00"), "etf.Opaque"},
		{"a Go map", map[string]int{}, "map[string]int"},
		{"a bad value deep inside", etf.Map{{"k", etf.List{etf.Tuple{float32(1)}}}}, "float32"},
		{"a bad value after bytes", etf.List{1, 2, struct{}{}}, "struct {}"},
		{"a bad key", etf.Map{{math.NaN(), 1}}, "NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := etf.Append([]byte("kept"), c.term)
			var bad *etf.ValueError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v, want a ValueError", err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not say %q", err, c.says)
			}
			if string(b) != "kept" {
				t.Errorf("left %q", b)
			}
			if _, err := etf.Encode(c.term); err == nil {
				t.Error("Encode accepted it")
			}
		})
	}
}

func TestDepthIsTheSameBothWays(t *testing.T) {
	wraps := map[string]func(etf.Term) etf.Term{
		"tuples":         func(t etf.Term) etf.Term { return etf.Tuple{t} },
		"lists":          func(t etf.Term) etf.Term { return etf.List{t} },
		"values of maps": func(t etf.Term) etf.Term { return etf.Map{{1, t}} },
		"keys of maps":   func(t etf.Term) etf.Term { return etf.Map{{t, 1}} },
		"heads":          func(t etf.Term) etf.Term { return etf.ImproperList{Elems: []etf.Term{t}, Tail: 1} },
	}
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			var term etf.Term = etf.Tuple{}
			for range etf.MaxDepth - 1 {
				term = wrap(term)
			}
			b, err := etf.Encode(term)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := etf.Decode(b); err != nil {
				t.Errorf("decode %d deep: %v", etf.MaxDepth, err)
			}
			if _, err := etf.Encode(wrap(term)); !errors.Is(err, etf.ErrDepth) {
				t.Errorf("encode %d deep: %v", etf.MaxDepth+1, err)
			}
			raw, err := etf.Encode(wrap(etf.Raw(b[1:])))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := etf.Decode(raw); !errors.Is(err, etf.ErrDepth) {
				t.Errorf("decode %d deep: %v", etf.MaxDepth+1, err)
			}
			if _, err := etf.Skip(raw[1:]); !errors.Is(err, etf.ErrDepth) {
				t.Errorf("skip %d deep: %v", etf.MaxDepth+1, err)
			}
		})
	}
}

func TestHelpersWriteWhatAppendWrites(t *testing.T) {
	pid := etf.Pid{Node: "a@b", ID: 1, Serial: 2, Creation: 3}
	ref := etf.Ref{Node: "a@b", Creation: 4, Len: 2, ID: [5]uint32{5, 6}}
	want, err := etf.Append(nil, etf.Tuple{etf.Atom("a"), pid, ref, "b", "c", -1, uint64(math.MaxUint64), etf.List{etf.List{}}})
	if err != nil {
		t.Fatal(err)
	}
	b := etf.AppendTupleHeader(nil, 8)
	b = etf.AppendAtom(b, "a")
	b = etf.AppendPid(b, pid)
	b = etf.AppendRef(b, ref)
	b = etf.AppendBinary(b, "b")
	b = etf.AppendBinary(b, []byte("c"))
	b = etf.AppendInt(b, -1)
	b = etf.AppendUint(b, math.MaxUint64)
	b = etf.AppendNil(etf.AppendNil(etf.AppendListHeader(b, 1)))
	if !bytes.Equal(b, want) {
		t.Errorf("helpers % x\nAppend  % x", b, want)
	}
}
