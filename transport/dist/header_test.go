package dist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/transport/etf"
)

// Two messages as a node of OTP 27 sends them, {hello,world} and {hello,world,again}:
// what is new in the first is known in the second.
var capturedHeads = [][]byte{
	unhex(`8344 04 8989 00 8c 0d 66323740 3132372e302e302e31 52 0c 676f40 3132372e302e302e31 e4 05 68656c6c6f 54 05 776f726c64`,
		`6803 6116 58 5200 0000000a 00000000 6b046bad 58 5201 00000007 00000000 5eed0001 6802 5202 5203`),
	unhex(`8344 05 0101 08 8c 52 e4 54 50 05 616761696e`,
		`6803 6116 58 5200 0000000a 00000000 6b046bad 58 5201 00000007 00000000 5eed0001 6803 5202 5203 5204`),
}

func TestHeadersAsCaptured(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	h := NewHeaderReader(d)
	for i, want := range []etf.Term{
		etf.Tuple{etf.Atom("hello"), etf.Atom("world")},
		etf.Tuple{etf.Atom("hello"), etf.Atom("world"), etf.Atom("again")},
	} {
		c, err := h.Parse(capturedHeads[i])
		if err != nil {
			t.Fatal(err)
		}
		from := etf.Pid{Node: "f27@127.0.0.1", ID: 10, Creation: 0x6b046bad}
		to := etf.Pid{Node: "go@127.0.0.1", ID: 7, Creation: 0x5eed0001}
		if c.Op != OpSend || c.From != from || c.To != to {
			t.Errorf("%+v", c)
		}
		if got, rest, err := d.Term(c.Payload); err != nil || len(rest) > 0 {
			t.Errorf("%v, rest %x", err, rest)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPacketsWithoutAProperHeaderAreRefused(t *testing.T) {
	long := "00 01 " + strings.Repeat("61", 256)
	for name, packet := range map[string]string{
		"nothing":                    "",
		"nothing after the tag":      "8344",
		"a packet passed through":    "70 83 6803 6101",
		"a fragment":                 "8345 00000000 00000001 00000000 00000001 00 6803",
		"flags cut short":            "8344 04 89",
		"an entry missing":           "8344 02 8800 0000 0161",
		"a known slot that is empty": "8344 01 00 05 6803 6101 5200 5200",
		"a length missing":           "8344 01 08 05",
		"half a length":              "8344 01 18 05 00",
		"a text cut short":           "8344 01 08 05 03 6161",
		"an atom that is not UTF-8":  "8344 01 08 05 01 ff 6802",
		"an atom of 256 characters":  "8344 01 18 05 01" + long[2:5] + long[5:],
		"a reference to no entry":    "8344 01 08 05 01 61 6803 6101 58 5201 00000000 00000000 00000000 58 5200 00000000 00000000 00000000",
		"a payload missing":          "8344 01 08 05 01 61 6803 6116 58 5200 00000000 00000000 00000000 58 5200 00000000 00000000 00000000",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := NewHeaderReader(etf.NewDecoder(etf.DefaultLimits())).Parse(unhex(packet))
			if !errors.Is(err, ErrControl) {
				t.Errorf("%+v and %v", c, err)
			}
		})
	}
}

// converted is a connection through which frames go with headers.
type converted struct {
	w    *HeaderWriter
	r    *HeaderReader
	d    *etf.Decoder
	sent int // bytes
}

func newConverted() *converted {
	d := etf.NewDecoder(etf.DefaultLimits())
	return &converted{w: NewHeaderWriter(1 << 24), r: NewHeaderReader(d), d: d}
}

// pass returns what the other end makes of a frame.
func (c *converted) pass(frame []byte) (Control, error) {
	head, rest := c.w.Convert(Seal(frame))
	c.sent += len(head) + len(rest)
	packet, err := ReadFrame(bufio.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(rest))), 1<<24)
	if err != nil {
		return Control{}, err
	}
	return c.r.Parse(packet)
}

func TestWhatIsBuiltIsParsedWithHeaders(t *testing.T) {
	c := newConverted()
	for name, build := range builders {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				b, want, err := build(nil, genPid().Draw(t, "from"), genPid().Draw(t, "to"), genAtom().Draw(t, "name"),
					genRef().Draw(t, "ref"), rapid.Uint64Min(1).Draw(t, "id"))
				if err != nil {
					t.Fatal(err)
				}
				if shapes[want.Op].payload {
					b = append(b, hi...)
				}
				got, err := c.pass(b)
				if err != nil {
					t.Fatal(err)
				}
				if want.Payload, got.Payload = nil, nil; !cmp.Equal(want, got) {
					t.Fatal(cmp.Diff(want, got))
				}
			})
		})
	}
}

// message is a frame with a payload of atoms.
func message(t *testing.T, atoms ...etf.Term) []byte {
	t.Helper()
	b, err := etf.Append(AppendSend(nil, ours, theirs), etf.List(atoms))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func numbered(from, n int) (atoms []etf.Term) {
	for i := range n {
		atoms = append(atoms, etf.Atom(fmt.Sprint("atom", from+i)))
	}
	return atoms
}

// However many atoms there are, in one packet or in all, each comes out as itself.
func TestMoreAtomsThanThereIsRoomFor(t *testing.T) {
	c := newConverted()
	check := func(atoms []etf.Term) {
		t.Helper()
		got, err := c.pass(message(t, atoms...))
		if err != nil {
			t.Fatal(err)
		}
		v, rest, err := c.d.Term(got.Payload)
		if err != nil || len(rest) > 0 || !cmp.Equal(v, etf.Term(etf.List(atoms))) {
			t.Fatalf("%d atoms became %s, rest %x, %v", len(atoms), etf.Text(v), rest, err)
		}
	}
	check(numbered(0, 2000))
	for i := range 500 {
		check(numbered(i*7%3000, 20))
	}
	check([]etf.Term{etf.Atom(""), etf.Atom(strings.Repeat("é", 255)), etf.Atom(strings.Repeat("x", 255)), etf.Atom("")})
}

func TestAnAtomIsSentOnceOnly(t *testing.T) {
	c := newConverted()
	atoms := append(numbered(0, 10), etf.Atom(strings.Repeat("x", 200)))
	var took [3]int
	for i := range took {
		before := c.sent
		if _, err := c.pass(message(t, atoms...)); err != nil {
			t.Fatal(err)
		}
		took[i] = c.sent - before
	}
	if took[1] >= took[0]-200 || took[2] != took[1] {
		t.Errorf("took %d bytes", took)
	}
}

// A peer may accept no longer frames than we do, and closes on one.
func TestNoFrameGrowsBeyondTheLongest(t *testing.T) {
	c := newConverted()
	for spare := range 2 * growth {
		atoms := numbered(spare, 300) // new ones for the most part
		frame := Seal(message(t, atoms...))
		c.w.max = len(frame) - prefixLen + spare
		before := c.sent
		got, err := c.pass(frame)
		if err != nil {
			t.Fatal(err)
		}
		if took := c.sent - before - prefixLen; took > c.w.max {
			t.Fatalf("a frame of %d bytes became %d, of at most %d", len(frame)-prefixLen, took, c.w.max)
		}
		if v, _, err := c.d.Term(got.Payload); err != nil || !cmp.Equal(v, etf.Term(etf.List(atoms))) {
			t.Fatalf("%v became %s, %v", atoms, etf.Text(v), err)
		}
	}
	link := Seal(AppendLink(nil, ours, theirs)) // without a payload
	if head, rest := NewHeaderWriter(len(link)).Convert(link); len(head)+len(rest) > len(link)+1 {
		t.Errorf("% x became % x", link, head)
	}
}

// Only the beginning of what is long is searched, and all of it arrives.
func TestALongMessageIsNotCopied(t *testing.T) {
	c := newConverted()
	frame := message(t, append(numbered(0, 3), strings.Repeat("y", 1<<20), etf.Atom("atom1"))...)
	head, rest := c.w.Convert(Seal(frame))
	if len(rest) == 0 || &rest[len(rest)-1] != &frame[len(frame)-1] || len(head)+len(rest) > len(frame)+40 {
		t.Errorf("%d and %d bytes of %d", len(head), len(rest), len(frame))
	}
	got, err := newConverted().pass(frame)
	if err != nil || len(got.Payload) < 1<<20 {
		t.Errorf("%d bytes and %v", len(got.Payload), err)
	}
}

func TestATickHasNoHeader(t *testing.T) {
	head, rest := NewHeaderWriter(0).Convert(Tick())
	if !bytes.Equal(append(bytes.Clone(head), rest...), Tick()) {
		t.Errorf("%x %x", head, rest)
	}
}
