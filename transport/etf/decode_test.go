package etf_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/etf"
)

func TestDecodeAcceptsOlderAndLongerForms(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("00", n) }
	for _, c := range []sample{
		{"an atom of Latin-1", "64 0002 61e9", etf.Atom("aé")},
		{"a short atom of Latin-1", "73 02 e961", etf.Atom("éa")},
		{"an atom of ASCII in the old form", "64 0002 'ok'", etf.Atom("ok")},
		{"a short atom in the long form", "76 0002 'ok'", etf.Atom("ok")},
		{"a float as text", "63 '1.50000000000000000000e+00'" + zeros(5), 1.5},
		{"a negative float as text", "63 '-2.5e-3'" + zeros(24), -0.0025},
		{"an old pid", "67 64 0003 'a@b' 00000001 00000002 03", etf.Pid{Node: "a@b", ID: 1, Serial: 2, Creation: 3}},
		{"an old port", "66 64 0003 'a@b' 00000001 03", etf.Port{Node: "a@b", ID: 1, Creation: 3}},
		{"a small port in the long form", "78 77 03 'a@b' 0000000000000005 00000003", etf.Port{Node: "a@b", ID: 5, Creation: 3}},
		{"the first form of a reference", "65 64 0003 'a@b' 00000001 03", etf.Ref{Node: "a@b", Creation: 3, Len: 1, ID: [5]uint32{1}}},
		{"an old reference", "72 0002 64 0003 'a@b' 03 00000001 00000002", etf.Ref{Node: "a@b", Creation: 3, Len: 2, ID: [5]uint32{1, 2}}},
		{"a byte in four", "62 00000005", 5},
		{"a byte as a big", "6e 01 00 05", 5},
		{"a byte as a big with zeros", "6e 0a 00 05" + zeros(9), 5},
		{"a big of no digits", "6e 00 00", 0},
		{"a negative zero", "6e 01 01 00", 0},
		{"any sign but zero is minus", "6e 01 02 05", -5},
		{"a byte as a large big", "6f 00000001 01 05", -5},
		{"a list of length zero", "6c 00000000 6a", etf.List{}},
		{"a string of length zero", "6b 0000", etf.List{}},
		{"a tail without a list", "6c 00000000 77 01 'a'", etf.Atom("a")},
		{"bytes as a list", "6c 00000002 61 01 61 02 6a", etf.List{1, 2}},
		{"a list as tail", "6c 00000001 61 01 6c 00000001 61 02 6a", etf.List{1, 2}},
		{"a string as tail", "6c 00000001 61 01 6b 0002 0203", etf.List{1, 2, 3}},
		{"an improper list as tail", "6c 00000001 61 01 6c 00000001 61 02 61 03", etf.ImproperList{Elems: []etf.Term{1, 2}, Tail: 3}},
		{"a small tuple in the long form", "69 00000001 6a", etf.Tuple{etf.List{}}},
		{"a binary of eight bits", "4d 00000001 08 a0", "\xa0"},
		{"a binary of no bits", "4d 00000000 00", ""},
		{"bits that do not count", "4d 00000002 03 ffbf", etf.BitString{Bytes: "\xff\xa0", Bits: 3}},
		{"a fun whose arity is long", "71 77 01 'm' 77 01 'f' 62 00000002", etf.Export{Module: "m", Function: "f", Arity: 2}},
		{"a record of old atoms", "43 00000001 00 64 0001 'm' 64 0001 'n' 73 01 'f' 6a",
			etf.Opaque(unhex(t, "43 00000001 00 64 0001 'm' 64 0001 'n' 73 01 'f' 6a"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, "83"+c.bytes)
			got, err := etf.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.term, got, bigs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if rest, err := etf.Skip(b[1:]); err != nil || len(rest) > 0 {
				t.Errorf("skip: % x, %v", rest, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("61", 256)
	for _, c := range []struct {
		name   string
		bytes  string
		offset int
		cause  error
	}{
		{"a compressed term", "50 00000002 789c", 0, etf.ErrCompressed},
		{"the local form", "79 00", 0, etf.ErrLocal},
		{"an atom of a cache", "68 02 61 01 52 05", 4, etf.ErrCacheRef},
		{"a pid whose node is of a cache", "58 52 05 00000001 00000000 00000001", 1, etf.ErrCacheRef},
		{"an unknown tag", "ff", 0, etf.ErrTag},
		{"a fun of OTP R7, which no release that is left reads", oldFun, 0, etf.ErrTag},
		{"a second 131", "83 61 01", 0, etf.ErrTag},
		{"a pid whose node is a binary", "58 6d 00000001 61", 1, etf.ErrTag},
		{"a fun whose module is no atom", "71 61 01 77 01 'f' 61 02", 1, etf.ErrTag},
		{"a fun whose arity is an atom", "71 77 01 'm' 77 01 'f' 77 01 'a'", 7, etf.ErrTag},
		{"a fun whose arity is 256", "71 77 01 'm' 77 01 'f' 62 00000100", 12, nil},
		{"a NaN", "46 7ff8000000000001", 9, nil},
		{"an infinity", "46 fff0000000000000", 9, nil},
		{"a NaN as text", "63 'nan'" + strings.Repeat("00", 28), 32, nil},
		{"a hexadecimal float as text", "63 '0x1p-2'" + strings.Repeat("00", 25), 32, nil},
		{"a float as text that is too large", "63 '1e999'" + strings.Repeat("00", 26), 32, nil},
		{"an atom that is no UTF-8", "77 02 c328", 4, nil},
		{"an atom with half a surrogate pair", "77 03 eda080", 5, nil},
		{"an atom of 256 characters", "76 0100" + long, 259, nil},
		{"an atom of 256 Latin-1 characters", "64 0100" + long, 259, nil},
		{"an integer of a byte more than OTP 27 has", "6f 0007fff9 00" + strings.Repeat("01", 524281), 5, nil},
		{"a reference without words", "5a 0000 77 01 'a' 00000001", 3, nil},
		{"a reference of six words", "5a 0006 77 01 'a' 00000001" + strings.Repeat("00", 24), 3, nil},
		{"bits of nothing", "4d 00000001 00 05", 6, nil},
		{"nine bits", "4d 00000001 09 05", 6, nil},
		{"nothing of eight bits", "4d 00000000 08", 6, nil},
		{"a fun shorter than it says", strings.Replace(newFun, "0000003e", "0000003f", 1) + "6a", 63, nil},
		{"a fun longer than it says", strings.Replace(newFun, "0000003e", "0000003d", 1), 61, etf.ErrTruncated},
		{"a fun that says it has less than its size field", strings.Replace(newFun, "0000003e", "00000003", 1), 5, etf.ErrTruncated},
		{"a compressed term inside a fun", strings.Replace(newFun, "6b 0002 0102", "50 00000000", 1), 58, etf.ErrCompressed},
		{"a record whose field is no atom", strings.Replace(nativeRecord, "77 01 'x'", "61 01 6a", 1), 16, etf.ErrTag},
		{"a map with half an entry", "74 00000001 61 01", 7, etf.ErrTruncated},
		{"a list without a tail", "6c 00000001 61 01", 7, etf.ErrTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.bytes)
			_, _, err := etf.NewDecoder(etf.DefaultLimits()).Term(b)
			var bad *etf.SyntaxError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v, want a SyntaxError", err)
			}
			if bad.Offset != c.offset || !errors.Is(bad.Cause, c.cause) {
				t.Errorf("at %d with cause %v, want %d with %v: %v", bad.Offset, bad.Cause, c.offset, c.cause, err)
			}
			if _, err := etf.Skip(b); err == nil {
				t.Error("Skip accepted it")
			}
		})
	}
}

func TestEveryCutOfATermIsTruncated(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, s := range samples(t) {
		b := unhex(t, s.bytes)
		for n := range b {
			if _, _, err := d.Term(b[:n]); !errors.Is(err, etf.ErrTruncated) {
				t.Fatalf("%s cut to %d bytes: %v", s.name, n, err)
			}
			if _, err := etf.Skip(b[:n]); !errors.Is(err, etf.ErrTruncated) {
				t.Fatalf("skip %s cut to %d bytes: %v", s.name, n, err)
			}
		}
	}
}

func TestDecodeWantsOneWholeTerm(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes []byte
		cause error
	}{
		{"nothing", nil, nil},
		{"no 131", []byte{106}, nil},
		{"only 131", []byte{131}, etf.ErrTruncated},
		{"a byte too many", []byte{131, 106, 0}, etf.ErrTrailing},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := etf.Decode(c.bytes)
			var bad *etf.SyntaxError
			if !errors.As(err, &bad) || !errors.Is(bad.Cause, c.cause) {
				t.Errorf("error %v, want cause %v", err, c.cause)
			}
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMemoryFollowsTheBytesNotTheClaims(t *testing.T) {
	// Each of these lists claims all that is left, and has the next as its
	// first element.
	nested := make([]byte, 0, 64<<10)
	for range etf.MaxDepth - 1 {
		n := cap(nested) - len(nested) - 5
		nested = append(nested, 108, 0, byte(n>>16), byte(n>>8), byte(n))
	}
	nested = nested[:cap(nested)]
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"a list of 2^32-1 in five bytes", []byte{108, 255, 255, 255, 255}},
		{"a tuple of 2^32-1", []byte{105, 255, 255, 255, 255, 106}},
		{"a map of 2^32-1", []byte{116, 255, 255, 255, 255, 106, 106}},
		{"a binary of 2^32-1", []byte{109, 255, 255, 255, 255, 1}},
		{"an integer of 2^32-1", []byte{111, 255, 255, 255, 255, 0, 1}},
		{"bits of 2^32-1", []byte{77, 255, 255, 255, 255, 3, 1}},
		{"a record of 2^32-1", []byte{67, 255, 255, 255, 255, 0, 119, 0}},
		{"lists that each claim all the rest", nested},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := etf.NewDecoder(etf.DefaultLimits())
			var err error
			got := allocated(func() { _, _, err = d.Term(c.b) })
			if err == nil {
				t.Error("accepted")
			}
			if limit := uint64(32*len(c.b) + 32<<10); got > limit {
				t.Errorf("%d bytes took %d, more than %d", len(c.b), got, limit)
			}
		})
	}
}

// The terms that take most for what they are on the wire.
func TestATermTakesSome24TimesItsBytes(t *testing.T) {
	chain := func(tuple string) string { return strings.Repeat(tuple, 400) + "\x6a" }
	for name, b := range map[string]string{
		"tuples of one":           "\x6c\x00\x00\x00" + "\x64" + strings.Repeat(chain("\x68\x01"), 100) + "\x6a",
		"tuples of three":         "\x6c\x00\x00\x00" + "\x64" + strings.Repeat(chain("\x68\x03\x6a\x6a"), 100) + "\x6a",
		"a string as a list":      "\x6b\xff\xff" + strings.Repeat("x", 65535),
		"one after an element":    "\x6c\x00\x00\x00\x01\x6a\x6b\xff\xff" + strings.Repeat("x", 65535),
		"pairs, each in the next": chain("\x68\x02\x6a"),
	} {
		d := etf.NewDecoder(etf.DefaultLimits())
		var err error
		got := allocated(func() { _, _, err = d.Term([]byte(b)) })
		if limit := uint64(25*len(b)) + 4<<10; err != nil || got > limit {
			t.Errorf("%s: %d bytes took %d, more than %d; %v", name, len(b), got, limit, err)
		}
	}
}

func TestWhatComesAgainIsNotAllocatedAgain(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, c := range []struct {
		name  string
		term  etf.Term
		atMax float64
	}{
		{"an atom", etf.Atom("inserted_at"), 0},
		{"an atom outside ASCII", etf.Atom("größe"), 0},
		{"a small integer", 1023, 0},
		{"a small negative integer", -128, 0},
		{"the empty list", etf.List{}, 0},
		{"the empty binary", "", 0},
		{"a tuple of such things: its elements and its header", etf.Tuple{etf.Atom("ok"), 7, etf.List{}}, 2},
		{"a map whose keys came before: its entries and its header", etf.Map{{"page_id", etf.Atom("a")}, {"delta", 1}}, 2},
		{"a short binary, one of several in an allocation", "01J9ZK3V7Q8XWJ5T2M4N6P8R0S", 0},
		{"a large integer, the same", 1732399200123, 0},
		{"a float, the same", 0.25, 0},
		{"a pid of a known node", etf.Pid{Node: "a@b", ID: 5}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := etf.Append(nil, c.term)
			if err != nil {
				t.Fatal(err)
			}
			got := testing.AllocsPerRun(100, func() { _, _, err = d.Term(b) })
			if err != nil || got > c.atMax {
				t.Errorf("%v allocations, want at most %v; %v", got, c.atMax, err)
			}
			if n := testing.AllocsPerRun(100, func() { _, err = etf.Skip(b) }); n > 0 || err != nil {
				t.Errorf("skip: %v allocations, %v", n, err)
			}
		})
	}
}

func TestFullTablesAreEmptiedAndTermsStayRight(t *testing.T) {
	d := etf.NewDecoder(etf.Limits{Atoms: 4, Keys: 4})
	for round := range 3 {
		for i := range 20 {
			name := strings.Repeat("x", i)
			want := etf.Tuple{etf.Atom(name), etf.Map{{name, etf.Atom(name)}}, strings.Repeat("k", 60+i)}
			b, err := etf.Append(nil, want)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := d.Term(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(etf.Term(want), got); diff != "" {
				t.Fatalf("round %d (-want +got):\n%s", round, diff)
			}
		}
	}
}

func TestTermsDoNotShareTheInput(t *testing.T) {
	for _, limits := range []etf.Limits{{}, etf.DefaultLimits()} {
		d := etf.NewDecoder(limits)
		for _, s := range samples(t) {
			b := unhex(t, s.bytes)
			first, _, err := d.Term(b)
			if err != nil {
				t.Fatal(err)
			}
			clear(b)
			again, _, err := d.Term(unhex(t, s.bytes))
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []etf.Term{first, again} {
				if diff := cmp.Diff(s.term, got, bigs); diff != "" {
					t.Errorf("%s (-want +got):\n%s", s.name, diff)
				}
			}
		}
	}
}

func TestOwnDepthOfADecoder(t *testing.T) {
	d := etf.NewDecoder(etf.Limits{Depth: 2})
	two, three := unhex(t, "68 01 68 01 6a"), unhex(t, "68 01 68 01 68 00")
	if _, _, err := d.Term(two); err != nil {
		t.Error(err)
	}
	if _, _, err := d.Term(three); !errors.Is(err, etf.ErrDepth) {
		t.Errorf("error %v", err)
	}
	if _, _, err := d.Term(two); err != nil {
		t.Errorf("after an error: %v", err)
	}
}

func TestTypedReaders(t *testing.T) {
	pid := etf.Pid{Node: "a@b", ID: 1, Serial: 2, Creation: 3}
	ref := etf.Ref{Node: "a@b", Creation: 3, Len: 3, ID: [5]uint32{7, 8, 9}}
	b := etf.AppendTupleHeader(nil, 6)
	b = etf.AppendUint(b, 35)
	b = etf.AppendUint(b, math.MaxUint64)
	b = etf.AppendPid(b, pid)
	b = etf.AppendAtom(b, "server")
	b = etf.AppendRef(b, ref)
	b = etf.AppendAtom(b, "last")
	d := etf.NewDecoder(etf.DefaultLimits())
	type all struct {
		Arity      int
		Op, ID     uint64
		Pid        etf.Pid
		Name, Last etf.Atom
		IsAtom     bool
		Ref        etf.Ref
		Left       int
	}
	var got all
	read := func() {
		got = all{}
		var errs [7]error
		rest := b
		got.Arity, rest, errs[0] = d.TupleHeader(rest)
		got.Op, rest, errs[1] = d.Uint(rest)
		got.ID, rest, errs[2] = d.Uint(rest)
		got.Pid, _, _, rest, errs[3] = d.PidOrAtom(rest)
		_, got.Name, got.IsAtom, rest, errs[4] = d.PidOrAtom(rest)
		got.Ref, rest, errs[5] = d.Ref(rest)
		got.Last, rest, errs[6] = d.Atom(rest)
		got.Left = len(rest)
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
	}
	read()
	want := all{6, 35, math.MaxUint64, pid, "server", "last", true, ref, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := testing.AllocsPerRun(100, read); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTypedReadersRefuseOtherTypes(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	readers := map[string]func([]byte) error{
		"pid":         func(b []byte) error { _, _, err := d.Pid(b); return err },
		"reference":   func(b []byte) error { _, _, err := d.Ref(b); return err },
		"atom":        func(b []byte) error { _, _, err := d.Atom(b); return err },
		"pid or atom": func(b []byte) error { _, _, _, _, err := d.PidOrAtom(b); return err },
		"uint":        func(b []byte) error { _, _, err := d.Uint(b); return err },
		"tuple":       func(b []byte) error { _, _, err := d.TupleHeader(b); return err },
	}
	kinds := map[string]etf.Term{
		"pid": etf.Pid{Node: "a@b"}, "reference": etf.Ref{Node: "a@b", Len: 1}, "atom": etf.Atom("a"),
		"uint": 5, "tuple": etf.Tuple{1}, "other": "binary",
	}
	for reader, read := range readers {
		for kind, term := range kinds {
			b, err := etf.Append(nil, term)
			if err != nil {
				t.Fatal(err)
			}
			err = read(b)
			switch mine := slices.Contains(strings.Split(reader, " or "), kind); {
			case mine && err != nil:
				t.Errorf("%s refuses %s: %v", reader, kind, err)
			case !mine && !errors.Is(err, etf.ErrTag):
				t.Errorf("%s reads %s: %v", reader, kind, err)
			}
		}
		if err := read(nil); !errors.Is(err, etf.ErrTruncated) {
			t.Errorf("%s reads nothing: %v", reader, err)
		}
	}
	for name, bytes := range map[string]string{
		"a negative integer": "62 ffffffff", "a negative big": "6e 01 01 01", "65 bits": "6e 09 00 000000000000000001",
	} {
		if _, _, err := d.Uint(unhex(t, bytes)); err == nil {
			t.Errorf("uint reads %s", name)
		}
	}
	if _, _, err := d.TupleHeader(unhex(t, "68 02 6a")); !errors.Is(err, etf.ErrTruncated) {
		t.Errorf("a tuple of more than its bytes: %v", err)
	}
}
