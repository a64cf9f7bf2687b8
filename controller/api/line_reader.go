package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	maxLine       = 2 << 20 // bytes of a line: a payload has at most half of it
	maxBatch      = 256     // lines of a batch
	maxBatchBytes = 4 << 20 // of the lines of a batch; a request may have twice as many
)

// LineReader reads lines in batches, as events come that are one JSON object a line.
// It may not be used at once.
type LineReader struct {
	r    *bufio.Reader
	line int
}

// NewLineReader returns a LineReader of r, from which it reads ahead.
func NewLineReader(r io.Reader) *LineReader {
	return &LineReader{r: bufio.NewReaderSize(r, maxLine)}
}

// Line is the number of the line read last, counted from 1.
func (l *LineReader) Line() int { return l.line }

// Batch calls take with each line of the next batch, without the white space around
// it: at least with one, then with as many as have come rather than with as many as
// fill a batch. Empty lines are passed over. take may not keep text.
//
// An error is of the line read last, and the lines before it have been taken: io.EOF
// after all lines, the error of take or of the reader, a *Problem for a line that is
// too long. Nothing is to be read after it.
func (l *LineReader) Batch(take func(text []byte) error) error {
	for n, size := 0, 0; n < maxBatch && size < maxBatchBytes; {
		if n > 0 && l.r.Buffered() == 0 {
			return nil
		}
		text, err := l.r.ReadSlice('\n')
		if err == nil || len(text) > 0 {
			l.line++
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			return NewProblem(http.StatusRequestEntityTooLarge, "line %d is over %d bytes", l.line, maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", l.line, err)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			n, size = n+1, size+len(text)
			if err := take(text); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
