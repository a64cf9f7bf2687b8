// Package corpus keeps what real nodes have said to a test as seeds of a fuzz
// target: files in testdata/fuzz, which every run of the target's tests goes
// through. They are written with -update, once for each OTP release that is at
// hand, and only read otherwise. And it has such targets make good use of their time.
package corpus

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the seeds of fuzz targets anew")

// Keep writes one seed: the arguments of the target, of which each is a []byte, a
// bool, a byte or a uint32. The name says where it is from, without slashes.
func Keep(t testing.TB, target, name string, values ...any) {
	t.Helper()
	if !*update {
		return
	}
	text := []byte("go test fuzz v1\n")
	for _, v := range values {
		switch v := v.(type) {
		case []byte:
			text = fmt.Appendf(text, "[]byte(%q)\n", v)
		case byte:
			text = fmt.Appendf(text, "byte(%q)\n", rune(v))
		case bool, uint32:
			text = fmt.Appendf(text, "%T(%v)\n", v, v)
		default:
			t.Fatalf("a seed of %s with a %T", target, v)
		}
	}
	dir := filepath.Join("testdata", "fuzz", target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// minimizing is go test's flag for how long each input is made smaller.
const minimizing = "test.fuzzminimizetime"

// Hurry bounds what a fuzz target spends on making an input smaller that is of
// interest, unless the command line does. Go's minimizer tries to leave out every part
// of it, which are half a million of a session of a thousand bytes, and for a minute;
// meanwhile nothing new is tried. A thousand are enough to leave out every byte once.
func Hurry(f *testing.F) {
	f.Helper()
	if l := flag.Lookup(minimizing); l.Value.String() == l.DefValue {
		if err := l.Value.Set("1000x"); err != nil {
			f.Fatal(err)
		}
	}
}

// Ear passes on what is read and written, and keeps what is read.
type Ear struct {
	io.ReadWriter
	mu    sync.Mutex
	heard bytes.Buffer
}

// Listen returns an Ear on rw.
func Listen(rw io.ReadWriter) *Ear { return &Ear{ReadWriter: rw} }

// Read implements io.Reader.
func (e *Ear) Read(b []byte) (int, error) {
	n, err := e.ReadWriter.Read(b)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard.Write(b[:n])
	return n, err
}

// Heard is all that has been read so far. It may be asked from any goroutine.
func (e *Ear) Heard() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Clone(e.heard.Bytes())
}
