package etf_test

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"ehc/transport/etf"
)

// unhex reads "68 02 61 01 'text'": bytes in hex, text in single quotes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		out = append(out, b...)
	}
	return out
}

func bigInt(t testing.TB, s string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(s, 0)
	if !ok {
		t.Fatalf("no number: %s", s)
	}
	return n
}

const goNode = "77 0c 'go@127.0.0.1'"

// sample is a term and its bytes, which stand for each other both ways.
type sample struct {
	name  string
	bytes string
	term  etf.Term
}

func samples(t testing.TB) []sample {
	goPid := etf.Pid{Node: "go@127.0.0.1", ID: 1, Creation: 0x11223344}
	goRef := etf.Ref{Node: "go@127.0.0.1", Creation: 0x11223344, Len: 3, ID: [5]uint32{1}}
	return append(numberSamples(t), []sample{
		{"an atom", "77 05 'hello'", etf.Atom("hello")},
		{"the empty atom", "77 00", etf.Atom("")},
		{"an atom of 255 bytes", "77 ff '" + strings.Repeat("a", 255) + "'", etf.Atom(strings.Repeat("a", 255))},
		{"an atom of 255 characters in 510 bytes", "76 01fe '" + strings.Repeat("é", 255) + "'", etf.Atom(strings.Repeat("é", 255))},
		{"true is an atom", "77 04 'true'", etf.Atom("true")},
		{"a binary", "6d 00000003 'abc'", "abc"},
		{"the empty binary", "6d 00000000", ""},
		{"a binary that is no UTF-8", "6d 00000002 ff00", "\xff\x00"},
		{"three bits", "4d 00000001 03 a0", etf.BitString{Bytes: "\xa0", Bits: 3}},
		{"the empty list", "6a", etf.List{}},
		{"a list of bytes", "6b 0003 010203", etf.List{1, 2, 3}},
		{"a list of one integer over a byte", "6c 00000001 62 00000100 6a", etf.List{256}},
		{"a list that begins with bytes", "6c 00000002 61 01 77 01 'a' 6a", etf.List{1, etf.Atom("a")}},
		{"a reply tag of a call", "6c 00000001 77 05 'alias' 5a 0003 " + goNode + " 11223344 00000001 00000000 00000000",
			etf.ImproperList{Elems: []etf.Term{etf.Atom("alias")}, Tail: goRef}},
		{"the empty tuple", "68 00", etf.Tuple{}},
		{"a tuple of 256", "69 00000100 " + strings.Repeat("6a", 256), wide(256)},
		{"the empty map", "74 00000000", etf.Map{}},
		{"a map with a tuple as key", "74 00000001 68 01 61 01 77 01 'v'", etf.Map{{etf.Tuple{1}, etf.Atom("v")}}},
		{"a pid", "58 " + goNode + " 00000001 00000000 11223344", goPid},
		{"a reference of three words", "5a 0003 " + goNode + " 11223344 00000001 00000000 00000000", goRef},
		{"a reference of five words", "5a 0005 77 03 'a@b' 00000001 00000001 00000002 00000003 00000004 00000005",
			etf.Ref{Node: "a@b", Creation: 1, Len: 5, ID: [5]uint32{1, 2, 3, 4, 5}}},
		{"a port of 28 bits", "59 77 03 'a@b' 0fffffff 00000007", etf.Port{Node: "a@b", ID: 1<<28 - 1, Creation: 7}},
		{"a port of more bits", "78 77 03 'a@b' 0000000010000000 00000007", etf.Port{Node: "a@b", ID: 1 << 28, Creation: 7}},
		{"a fun by name", "71 77 05 'lists' 77 03 'map' 61 02", etf.Export{Module: "lists", Function: "map", Arity: 2}},
		{"a native record of OTP 29", nativeRecord, etf.Opaque(unhex(t, nativeRecord))},
		{"a local fun", newFun, etf.Opaque(unhex(t, newFun))},
		{"a spawn request of erpc", "68 06 61 1d" +
			" 5a 0003 " + goNode + " 11223344 00000001 00000000 00000000" +
			" 58 " + goNode + " 00000001 00000000 11223344 58 " + goNode + " 00000001 00000000 11223344" +
			" 68 03 77 04 'erpc' 77 0c 'execute_call' 61 04 6c 00000001 77 07 'monitor' 6a",
			etf.Tuple{29, goRef, goPid, goPid, etf.Tuple{etf.Atom("erpc"), etf.Atom("execute_call"), 4}, etf.List{etf.Atom("monitor")}}},
	}...)
}

func numberSamples(t testing.TB) []sample {
	return []sample{
		{"zero", "61 00", 0},
		{"the largest byte", "61 ff", 255},
		{"the first integer over a byte", "62 00000100", 256},
		{"minus one", "62 ffffffff", -1},
		{"the largest of 32 bits", "62 7fffffff", 1<<31 - 1},
		{"the smallest of 32 bits", "62 80000000", -1 << 31},
		{"the first over 32 bits", "6e 04 00 00000080", 1 << 31},
		{"the first below 32 bits", "6e 04 01 01000080", -1<<31 - 1},
		{"the largest int", "6e 08 00 ffffffffffffff7f", 1<<63 - 1},
		{"the smallest int", "6e 08 01 0000000000000080", -1 << 63},
		{"the first over an int", "6e 08 00 0000000000000080", bigInt(t, "0x8000000000000000")},
		{"the first below an int", "6e 08 01 0100000000000080", bigInt(t, "-0x8000000000000001")},
		{"an integer of 9 bytes", "6e 09 00 000000000000000001", bigInt(t, "0x10000000000000000")},
		{"an integer of 255 bytes", "6e ff 01 " + strings.Repeat("00", 254) + "01", new(big.Int).Neg(power(254))},
		{"an integer of 256 bytes", "6f 00000100 00 " + strings.Repeat("00", 255) + "01", power(255)},
		{"a float", "46 3ff8000000000000", 1.5},
		{"the float minus zero", "46 8000000000000000", negZero()},
		{"the largest float", "46 7fefffffffffffff", 1.7976931348623157e308},
	}
}

// power returns 256 to the n.
func power(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), 8*n) }

// negZero returns what the constant -0.0 is not.
func negZero() float64 {
	zero := 0.0
	return -zero
}

func wide(n int) etf.Tuple {
	t := make(etf.Tuple, n)
	for i := range t {
		t[i] = etf.List{}
	}
	return t
}

const (
	nativeRecord = "43 00000002 01 77 04 'nrec' 77 02 'pt' 77 01 'x' 77 01 'y' 61 0a 61 02"
	funPid       = "58 77 03 'a@b' 00000001 00000000 00000007"
	newFun       = "70 0000003e 01 00112233445566778899aabbccddeeff 00000000 00000001 77 01 'm' 61 00 62 00000101 " + funPid + " 6b 0002 0102"
	oldFun       = "75 00000001 " + funPid + " 77 01 'm' 61 00 61 05 6a"
)
