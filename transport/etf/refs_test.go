package etf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ehc/transport/etf"
)

// numbers gives every atom a number, up to so many.
type numbers struct {
	t     failer
	d     *etf.Decoder
	most  int
	given map[string]byte
	atoms []etf.Term
}

func newNumbers(t failer, most int) *numbers {
	return &numbers{t: t, d: etf.NewDecoder(etf.DefaultLimits()), most: most, given: map[string]byte{}}
}

func (n *numbers) refer(atom []byte) (byte, bool) {
	if i, ok := n.given[string(atom)]; ok || len(n.atoms) == n.most {
		return i, ok
	}
	a, err := n.d.Intern(atom)
	if err != nil {
		n.t.Fatalf("%q: %v", atom, err)
	}
	i := byte(len(n.atoms))
	n.given[string(atom)] = i
	n.atoms = append(n.atoms, a)
	n.d.Refs(n.atoms)
	return i, true
}

func TestATermWithReferencesIsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := newNumbers(t, rapid.IntRange(0, 8).Draw(rt, "numbers"))
		most := rapid.IntRange(0, 1000).Draw(rt, "most")
		term := terms(4).Draw(rt, "term")
		plain, err := etf.Append(nil, term)
		if err != nil {
			rt.Fatal(err)
		}
		b, tail := etf.AppendRefs([]byte("before"), append(plain, "behind"...), most, n.refer)
		b = append(b, tail...)[len("before"):]
		if len(b) > len(plain)+len("behind") {
			rt.Errorf("%d bytes became %d", len(plain), len(b)-len("behind"))
		}
		got, rest, err := n.d.Term(b)
		if err != nil || string(rest) != "behind" || !equal(term, got) {
			rt.Fatalf("% x became % x: got %v, rest %q, %v", plain, b, got, rest, err)
		}
		if rest, err := n.d.Skip(b); err != nil || string(rest) != "behind" {
			rt.Fatalf("skip % x: rest %q, %v", b, rest, err)
		}
	})
}

func TestWhatFollowsATermIsLeft(t *testing.T) {
	n := newNumbers(t, 8)
	for _, term := range []etf.Term{etf.Atom("a"), etf.List{}, etf.Tuple{etf.Atom("a"), etf.Map{{Key: etf.Atom("k"), Value: etf.Atom("a")}}},
		etf.Pid{Node: "a@b"}, etf.Ref{Node: "a@b", Len: 3}, etf.Port{Node: "a@b"}, etf.Port{Node: "a@b", ID: 1 << 40}, etf.Export{Module: "m", Function: "f"},
		etf.ImproperList{Elems: []etf.Term{etf.Atom("a")}, Tail: etf.Atom("b")}} {
		b, err := etf.Append(nil, term)
		if err != nil {
			t.Fatal(err)
		}
		if _, rest := etf.AppendRefs(nil, append(b, "w\x01ab"...), 1000, n.refer); string(rest) != "w\x01ab" {
			t.Errorf("%s: left %q", etf.Text(term), rest)
		}
	}
}

// fun is a local fun as bytes, its atoms written by atom, with what it closes over.
func fun(atom func(string) []byte, free ...[]byte) []byte {
	b := append([]byte{112, 0, 0, 0, 0, 1}, make([]byte, 16+4)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(free)))
	b = append(append(b, atom("mod")...), 97, 3, 97, 4) // old index, old uniq
	b = append(append(append(b, 88), atom("a@b")...), make([]byte, 12)...)
	b = append(b, bytes.Join(free, nil)...)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-1))
	return b
}

// record is a native record of one field.
func recordOf(atom func(string) []byte, value []byte) []byte {
	b := append([]byte{67, 0, 0, 0, 1, 0}, atom("mod")...)
	return append(append(append(b, atom("rec")...), atom("field")...), value...)
}

// What is kept as bytes is kept so that any peer can read it.
func TestWhatIsKeptAsBytesHasNoReferences(t *testing.T) {
	n := newNumbers(t, 8)
	written := func(a string) []byte { return etf.AppendAtom(nil, etf.Atom(a)) }
	referred := func(a string) []byte {
		i, _ := n.refer([]byte(a))
		return []byte{82, i}
	}
	build := func(atom func(string) []byte) []byte {
		inner := fun(atom, atom("free"), []byte{104, 2, 97, 1, 97, 2}, etf.AppendRef(nil, etf.Ref{Node: "a@b", Len: 2}))
		return recordOf(atom, fun(atom, inner, atom("mod"), inner))
	}
	with, without := build(referred), build(written)
	v, rest, err := n.d.Term(append(with, "behind"...))
	if err != nil || string(rest) != "behind" {
		t.Fatalf("rest %q, %v", rest, err)
	}
	if got, ok := v.(etf.Opaque); !ok || string(got) != string(without) {
		t.Errorf("got  % x\nwant % x", v, without)
	}
	if _, err := etf.Append(nil, v); err != nil {
		t.Error(err)
	}
	empty, _ := n.refer(nil) // stands for no bytes at all
	v, _, err = n.d.Term(recordOf(func(string) []byte { return []byte{82, empty} }, []byte{106}))
	if got, ok := v.(etf.Opaque); !ok || strings.Contains(string(got), "R") {
		t.Errorf("the empty atom: %q, %v", v, err)
	}
	n.d.Refs(nil)
	if _, _, err := n.d.Term(with); !errors.Is(err, etf.ErrCacheRef) {
		t.Errorf("without atoms: %v", err)
	}
}

func TestTermsOfAnyKindStandInsideWhatIsKeptAsBytes(t *testing.T) {
	n := newNumbers(t, 8)
	n.refer([]byte("a"))
	all := samples(t)
	for name, bytes := range map[string]string{"a fun of OTP R7": oldFun, "an atom of Latin-1": "73 02 e961", "a float as text": "63 '-2.5e-3'" + strings.Repeat("00", 24),
		"an old pid": "67 64 0003 'a@b' 00000001 00000002 03", "an old port": "66 64 0003 'a@b' 00000001 03", "an old reference": "72 0002 64 0003 'a@b' 03 00000001 00000002",
		"the first form of a reference": "65 64 0003 'a@b' 00000001 03"} {
		all = append(all, sample{name: name, bytes: bytes})
	}
	for _, s := range all {
		b := recordOf(func(a string) []byte { return etf.AppendAtom(nil, etf.Atom(a)) }, unhex(t, s.bytes))
		_, err := etf.Skip(b)
		v, _, failed := n.d.Term(b)
		if got, _ := v.(etf.Opaque); err == nil && string(got) != string(b) || (err == nil) != (failed == nil) {
			t.Errorf("%s: % x became % x, %v", s.name, b, got, failed)
		}
	}
}

func TestReferencesStandForABoundedAmount(t *testing.T) {
	n := newNumbers(t, 1)
	long := strings.Repeat("\U0001F600", 255) // 1020 bytes
	n.refer([]byte(long))
	list := func(length int) []byte {
		b := etf.AppendListHeader(nil, length)
		return etf.AppendNil(append(b, bytes.Repeat([]byte{82, 0}, length)...))
	}
	most := 64 << 20 / 1020
	if _, _, err := n.d.Term(list(most)); err != nil {
		t.Error(err)
	}
	for name, read := range map[string]func(b []byte) error{
		"read": func(b []byte) error { _, _, err := n.d.Term(b); return err },
		"skip": func(b []byte) error { _, err := n.d.Skip(b); return err },
		"a fun": func(b []byte) error {
			_, _, err := n.d.Term(fun(func(string) []byte { return []byte{82, 0} }, b))
			return err
		},
		"record": func(b []byte) error {
			_, _, err := n.d.Term(recordOf(func(string) []byte { return []byte{82, 0} }, b))
			return err
		},
	} {
		var syntax *etf.SyntaxError
		if err := read(list(most + 1)); !errors.As(err, &syntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInternRefusesWhatIsNoAtom(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, text := range []string{"\xff", strings.Repeat("x", 256)} {
		if v, err := d.Intern([]byte(text)); err == nil {
			t.Errorf("%.9q became %v", text, v)
		}
	}
	if v, err := d.Intern([]byte("größe")); v != etf.Term(etf.Atom("größe")) || err != nil {
		t.Errorf("%v and %v", v, err)
	}
}
