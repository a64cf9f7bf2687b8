package ergonode

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
)

const (
	writeBuffer = 64 << 10
	// writeStep is how much is written under one deadline, so that a long frame on
	// a slow network is no overload.
	writeStep = 256 << 10
	// ticksToLive is how many ticks a peer may miss.
	ticksToLive = 4
)

// write writes what is queued until the link ends. It ticks when nothing was
// written for a quarter of Tick, and gives up a peer that was silent for all of it.
func (l *link) write() error {
	every := l.node.o.Tick / ticksToLive
	to := &patientWriter{nc: l.nc, patience: every}
	w := bufio.NewWriterSize(to, writeBuffer)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var frames [][]byte
	var heard, wrote uint64
	missed := 0
	for {
		var err error
		select {
		case <-l.ctx.Done():
			return l.why
		case <-l.queue.wake:
			frames, err = l.drain(w, frames)
		case <-ticker.C:
			missed++
			if now := l.heard.Load(); now != heard {
				heard, missed = now, 0
			}
			if missed >= ticksToLive {
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

// drain writes until the queue is empty. It returns the memory of frames.
func (l *link) drain(w *bufio.Writer, frames [][]byte) ([][]byte, error) {
	for {
		several := len(frames) > 1
		frames = l.queue.take(frames)
		if len(frames) == 0 && several { // many callers are at it: let them share a write
			runtime.Gosched()
			frames = l.queue.take(frames)
		}
		if len(frames) == 0 {
			return frames, w.Flush()
		}
		for _, f := range frames {
			if _, err := w.Write(f); err != nil {
				return nil, err
			}
		}
	}
}

// patientWriter writes to a peer for as long as it takes something now and then.
type patientWriter struct {
	nc       net.Conn
	patience time.Duration
	written  uint64
}

func (p *patientWriter) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		_ = p.nc.SetWriteDeadline(time.Now().Add(p.patience))
		n, err := p.nc.Write(b[done:min(len(b), done+writeStep)])
		done += n
		p.written += uint64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return done, fmt.Errorf("%w: %w", transport.ErrOverload, err)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
