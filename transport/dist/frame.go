package dist

import (
	"bufio"
	"encoding/binary"
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
// Memory grows with what has arrived, not with what was announced.
func ReadFrame(r *bufio.Reader, max int) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		if err == io.EOF && len(head) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	_, _ = r.Discard(4) // they are buffered
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
