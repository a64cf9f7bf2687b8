package dist

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// trusted is how many bytes a length may claim before any of them are there.
const trusted = 64 << 10

// LengthError says that a peer announced a longer frame than is accepted. The
// connection is of no use any more.
type LengthError struct {
	Length uint32 // as announced
	Max    int    // as accepted
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("frame of %d bytes: at most %d are accepted", e.Length, e.Max)
}

// ReadFrame reads one frame, a length in four bytes and so many bytes, and returns
// the bytes, which are the caller's to keep. A frame of length 0 is a tick, and has
// no bytes and no error. A longer frame than max is a *LengthError. The error is
// io.EOF only if the connection ends between frames, io.ErrUnexpectedEOF inside
// one.
//
// Memory grows with what has arrived, not with what was announced. Who reads many
// frames has a FrameReader.
func ReadFrame(r *bufio.Reader, max int) ([]byte, error) {
	head, err := r.Peek(prefixLen)
	if err != nil {
		return nil, cut(err, head)
	}
	n := binary.BigEndian.Uint32(head)
	_, _ = r.Discard(prefixLen) // they are buffered
	if n == 0 {
		return nil, nil
	}
	if int64(n) > int64(max) {
		return nil, &LengthError{Length: n, Max: max}
	}
	frame := make([]byte, min(int(n), trusted))
	for have := 0; ; {
		if _, err := io.ReadFull(r, frame[have:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if have = len(frame); have == int(n) {
			return frame, nil
		}
		longer := make([]byte, min(int(n), 2*have))
		copy(longer, frame)
		frame = longer
	}
}

// cut is the error of an end that came after some bytes of a frame.
func cut(err error, got []byte) error {
	if errors.Is(err, io.EOF) && len(got) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// FrameReader reads the frames of a connection one after the other. Those that fit
// its buffer are not copied. It is for one goroutine.
type FrameReader struct {
	r    *bufio.Reader
	max  int
	held int // bytes of the buffer that the last frame takes
}

// NewFrameReader returns a reader of frames of at most max bytes with a buffer of
// size bytes.
func NewFrameReader(r io.Reader, size, max int) *FrameReader {
	return &FrameReader{r: bufio.NewReaderSize(r, size), max: max}
}

// Next is ReadFrame, but for one thing: the bytes are the caller's only until the
// next call.
func (f *FrameReader) Next() ([]byte, error) {
	_, _ = f.r.Discard(f.held) // they are buffered
	f.held = 0
	head, err := f.r.Peek(prefixLen)
	if err != nil {
		return nil, cut(err, head)
	}
	n := binary.BigEndian.Uint32(head)
	if n == 0 || int64(n) > int64(min(f.max, f.r.Size()-prefixLen)) {
		return ReadFrame(f.r, f.max)
	}
	frame, err := f.r.Peek(prefixLen + int(n))
	if err != nil {
		return nil, cut(err, frame)
	}
	f.held = len(frame)
	return frame[prefixLen:], nil
}
