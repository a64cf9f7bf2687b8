package api

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// batches reads to the error at the end, and returns how many lines each batch had.
func batches(l *LineReader) (sizes []int, end error) {
	for end == nil {
		n := 0
		end = l.Batch(func([]byte) error { n++; return nil })
		sizes = append(sizes, n)
	}
	return sizes, end
}

func TestABatchIsWhatHasComeAndBounded(t *testing.T) {
	broken := errors.New("broken")
	long := strings.Repeat("x", maxLine/2) + "\n"
	for name, c := range map[string]struct {
		from io.Reader
		want []int
		line int
		end  error
	}{
		"nothing":               {strings.NewReader(""), []int{0}, 0, io.EOF},
		"no newline at the end": {strings.NewReader("a\n \nb"), []int{2}, 3, io.EOF},
		"many lines":            {strings.NewReader(strings.Repeat("a\n", 2*maxBatch+1)), []int{maxBatch, maxBatch, 1, 0}, 2*maxBatch + 1, io.EOF},
		"one at a time":         {io.MultiReader(strings.NewReader("a\n"), strings.NewReader("b\n")), []int{1, 1, 0}, 2, io.EOF},
		"long lines":            {strings.NewReader(strings.Repeat(long, 5)), []int{maxBatchBytes / (maxLine / 2), 1, 0}, 5, io.EOF},
		"a reader that breaks":  {io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), []int{1}, 2, broken},
	} {
		l := NewLineReader(c.from)
		sizes, end := batches(l)
		if !errors.Is(end, c.end) || l.Line() != c.line {
			t.Errorf("%s: ends with %v at line %d, want %v at %d", name, end, l.Line(), c.end, c.line)
		}
		if diff := cmp.Diff(c.want, sizes); diff != "" {
			t.Errorf("%s: lines of the batches, -want +got:\n%s", name, diff)
		}
	}
}

func TestALineThatIsNotTakenEndsTheBatch(t *testing.T) {
	bad := errors.New("bad")
	var taken []string
	l := NewLineReader(strings.NewReader("a\nbad\nb\n"))
	err := l.Batch(func(text []byte) error {
		if string(text) == "bad" {
			return bad
		}
		taken = append(taken, string(text))
		return nil
	})
	if !errors.Is(err, bad) || l.Line() != 2 || !cmp.Equal(taken, []string{"a"}) {
		t.Errorf("%v at line %d, %q taken before", err, l.Line(), taken)
	}
}
