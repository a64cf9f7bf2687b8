package ergonode

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
)

const (
	writeBuffer = 64 << 10
	// writeStep is how much is written under one deadline, so that a long frame on
	// a slow network is no overload.
	writeStep = 256 << 10
	// recordStep is the same over TLS, which a write that is late breaks: what one
	// record takes.
	recordStep = 16 << 10
	// ticksToLive is how many ticks a peer may miss.
	ticksToLive = 4
)

// write writes what is queued until the link ends. It ticks when nothing was
// written for a quarter of Tick, and gives up a peer that was silent for all of it.
func (l *link) write() error {
	every := l.node.o.Tick / ticksToLive
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	to := &patientWriter{nc: l.nc, step: writeStep, patience: every, ticks: ticker.C, silence: silence{heard: &l.heard}}
	if _, to.shared = l.nc.(tlsConn); to.shared {
		to.step = recordStep
	}
	w := bufio.NewWriterSize(to, writeBuffer)
	out := outlet{w: w}
	if l.headed() {
		out.headers = dist.NewHeaderWriter(l.node.o.Limits.Frame)
	}
	var wrote uint64
	for {
		var err error
		select {
		case <-l.ctx.Done():
			return l.why
		case <-l.queue.wake:
			err = l.drain(&out)
		case <-ticker.C:
			if to.silence.over() {
				return transport.ErrSilent
			}
			if to.written == wrote {
				_, err = to.Write(dist.Tick())
			}
			wrote = to.written
		}
		if err != nil {
			return err
		}
	}
}

// outlet is what the writer of a link has at hand.
type outlet struct {
	w       *bufio.Writer
	headers *dist.HeaderWriter // nil if packets have none
	frames  [][]byte           // memory
}

func (o *outlet) write(frame []byte) error {
	if o.headers != nil {
		var head []byte
		head, frame = o.headers.Convert(frame)
		if _, err := o.w.Write(head); err != nil {
			return err
		}
	}
	_, err := o.w.Write(frame)
	return err
}

// drain writes until the queue is empty.
func (l *link) drain(out *outlet) error {
	for {
		runtime.Gosched() // whoever else is about to send shares the write
		out.frames = l.queue.take(out.frames)
		if len(out.frames) == 0 {
			return out.w.Flush()
		}
		for _, f := range out.frames {
			if err := out.write(f); err != nil {
				return err
			}
		}
	}
}

// silence counts the ticks since a peer was last heard.
type silence struct {
	heard  *atomic.Uint64
	before uint64
	missed int
}

// over takes a tick. It says whether the peer has missed too many.
func (s *silence) over() bool {
	s.missed++
	if now := s.heard.Load(); now != s.before {
		s.before, s.missed = now, 0
	}
	return s.missed >= ticksToLive
}

// patientWriter writes to a peer for as long as it takes something now and then and
// is not silent: there may be so much to write that nobody else looks at the clock.
type patientWriter struct {
	nc       net.Conn
	step     int
	patience time.Duration
	shared   bool // others write to nc too: TLS, which answers a peer that changes its keys
	ticks    <-chan time.Time
	silence  silence
	written  uint64
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if p.shared { // a deadline of ours that has passed would be theirs
		defer func() { _ = p.nc.SetWriteDeadline(time.Time{}) }()
	}
	done := 0
	for done < len(b) {
		select {
		case <-p.ticks:
			if p.silence.over() {
				return done, transport.ErrSilent
			}
		default:
		}
		_ = p.nc.SetWriteDeadline(time.Now().Add(p.patience))
		n, err := p.nc.Write(b[done:min(len(b), done+p.step)])
		done += n
		p.written += uint64(n)
		switch late := errors.Is(err, os.ErrDeadlineExceeded); {
		case late && n == 0:
			return done, fmt.Errorf("%w: %w", transport.ErrOverload, err)
		case err != nil && !late:
			return done, err
		}
	}
	return done, nil
}
