package dist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// readers runs a test with ReadFrame, and with FrameReaders that copy all, some and
// no frames.
func readers(t *testing.T, name, in string, max int, run func(*testing.T, func() ([]byte, error))) {
	t.Run(name, func(t *testing.T) {
		r := bufio.NewReader(strings.NewReader(in))
		run(t, func() ([]byte, error) { return ReadFrame(r, max) })
	})
	for _, size := range []int{16, 64 << 10, 1 << 20} {
		t.Run(fmt.Sprintf("%s, buffer of %d", name, size), func(t *testing.T) {
			run(t, NewFrameReader(strings.NewReader(in), size, max).Next)
		})
	}
}

func TestReadFrame(t *testing.T) {
	big := strings.Repeat("x", 3*trusted+1)
	tests := map[string]struct {
		in     string
		frames []string
		err    error
	}{
		"nothing is the end":                     {"", nil, io.EOF},
		"a tick has no bytes":                    {"\x00\x00\x00\x00", []string{""}, io.EOF},
		"a frame after a tick":                   {"\x00\x00\x00\x00\x00\x00\x00\x02ab", []string{"", "ab"}, io.EOF},
		"a frame of more than is trusted":        {"\x00\x03\x00\x01" + big + "\x00\x00\x00\x01c", []string{big, "c"}, io.EOF},
		"a length cut short":                     {"\x00\x00\x00", nil, io.ErrUnexpectedEOF},
		"a frame that never begins":              {"\x00\x00\x00\x02", nil, io.ErrUnexpectedEOF},
		"a frame cut short":                      {"\x00\x00\x00\x02a", nil, io.ErrUnexpectedEOF},
		"a long frame cut where it would grow":   {"\x00\x03\x00\x01" + big[:trusted], nil, io.ErrUnexpectedEOF},
		"a frame of just the limit":              {"\x00\x03\x00\x02" + big + "y", []string{big + "y"}, io.EOF},
		"a frame of one byte more than accepted": {"\x00\x03\x00\x03" + big, nil, &LengthError{Length: 0x30003, Max: 0x30002}},
		"the longest frame that can be claimed":  {"\xff\xff\xff\xff", nil, &LengthError{Length: 1<<32 - 1, Max: 0x30002}},
	}
	for name, tt := range tests {
		readers(t, name, tt.in, 0x30002, func(t *testing.T, next func() ([]byte, error)) {
			for _, want := range tt.frames {
				got, err := next()
				if err != nil || string(got) != want {
					t.Fatalf("got %d bytes and %v, want %d", len(got), err, len(want))
				}
			}
			got, err := next()
			var length *LengthError
			if errors.As(tt.err, &length) {
				if !strings.Contains(err.Error(), "at most 196610") {
					t.Error(err)
				}
				if diff := cmp.Diff(tt.err, err); diff != "" {
					t.Error(diff)
				}
			} else if !errors.Is(err, tt.err) {
				t.Errorf("got %d bytes and %v, want %v", len(got), err, tt.err)
			}
		})
	}
}

func TestFramesComeAsTheyWereSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 300)).Draw(t, "frames")
		var wire []byte
		for _, f := range sent {
			wire = append(wire, Seal(append(make([]byte, prefixLen), f...))...)
		}
		r := bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(wire)), 16)
		for i, want := range sent {
			got, err := ReadFrame(r, 300)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("frame %d: %x and %v, want %x", i, got, err, want)
			}
		}
		if _, err := ReadFrame(r, 300); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last: %v", err)
		}
	})
}

func TestALengthAloneAllocatesLittle(t *testing.T) {
	in := append([]byte{0x3f, 0xff, 0xff, 0xff}, "only this"...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadFrame(bufio.NewReader(bytes.NewReader(in)), 1<<30)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("allocated %d bytes for a frame that never came", used)
	}
}

func TestSealAndTick(t *testing.T) {
	if got := Seal([]byte{9, 9, 9, 9, 1, 2}); !bytes.Equal(got, []byte{0, 0, 0, 2, 1, 2}) {
		t.Errorf("sealed %x", got)
	}
	if got := Seal(Tick()); !bytes.Equal(got, Tick()) || len(got) != 4 {
		t.Errorf("tick %x", got)
	}
}
