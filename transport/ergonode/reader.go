package ergonode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"ehc/transport"
	"ehc/transport/dist"
)

const readBuffer = 64 << 10

// read takes signals in the order in which they come, until the link ends. It
// waits for nobody: handlers have goroutines of their own, and what is to be
// answered is queued.
func (l *link) read() error {
	r := bufio.NewReaderSize(countingReader{l.nc, &l.heard}, readBuffer)
	for {
		frame, err := dist.ReadFrame(r, l.node.o.Limits.Frame)
		if err != nil {
			return broken(err)
		}
		if frame == nil {
			continue
		}
		c, err := dist.Parse(frame, l.decoder)
		if err != nil {
			return fmt.Errorf("%w: %w", transport.ErrProtocol, err)
		}
		l.dispatch(c)
	}
}

// broken is why a link has ended when reading it fails.
func broken(err error) error {
	var long *dist.LengthError
	switch {
	case errors.As(err, &long):
		return fmt.Errorf("%w: %w", transport.ErrProtocol, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the peer has closed: %w", transport.ErrDown, err)
	}
	return fmt.Errorf("%w: %w", transport.ErrDown, err)
}

// countingReader counts, so that the writer knows whether the peer is silent even
// in the middle of a long frame.
type countingReader struct {
	nc   net.Conn
	read *atomic.Uint64
}

func (c countingReader) Read(b []byte) (int, error) {
	n, err := c.nc.Read(b)
	c.read.Add(uint64(n))
	return n, err
}
