package ergonode

import (
	"errors"
	"fmt"
	"io"

	"ehc/transport"
	"ehc/transport/dist"
)

const readBuffer = 64 << 10

// read takes signals in the order in which they come, until the link ends. It
// waits for nobody: handlers have goroutines of their own, and what is to be
// answered is queued.
func (l *link) read() error {
	in := &inlet{batch: batch{want: 1}, link: l, mark: newLowMark(l.nc)}
	r := dist.NewFrameReader(in, readBuffer, l.node.o.Limits.Frame)
	parse := l.parser()
	for {
		frame, err := r.Next() // dispatch keeps nothing of it
		if err != nil {
			return broken(err)
		}
		if frame == nil {
			continue
		}
		c, err := parse(frame)
		if err != nil {
			return fmt.Errorf("%w: %w", transport.ErrProtocol, err)
		}
		l.dispatch(c)
	}
}

// parser reads packets of the form that is in force.
func (l *link) parser() func(packet []byte) (dist.Control, error) {
	if l.headed() {
		return dist.NewHeaderReader(l.decoder).Parse
	}
	return func(packet []byte) (dist.Control, error) { return dist.Parse(packet, l.decoder) }
}

// headed says whether packets have a header, with an atom cache.
func (l *link) headed() bool {
	return (l.node.self.Flags & l.with.Flags).Has(dist.FlagDistHdrAtomCache)
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

// inlet counts what is read, so that the writer knows whether the peer is silent
// even in the middle of a long frame, and waits for several answers at once when
// many calls are under way.
type inlet struct {
	batch
	link *link
	mark *lowMark
}

func (in *inlet) Read(b []byte) (int, error) {
	in.mark.aim(in.want)
	n, err := in.link.nc.Read(b)
	in.learn(in.mark.late(), in.link.underWay())
	in.link.heard.Add(uint64(n))
	return n, err
}
