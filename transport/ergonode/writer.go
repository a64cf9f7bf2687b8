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
	out := outlet{w: w, batch: batch{want: 1}, late: time.NewTimer(linger)}
	defer out.late.Stop()
	var heard, wrote uint64
	missed := 0
	for {
		var err error
		select {
		case <-l.ctx.Done():
			return l.why
		case <-l.queue.wake:
			if !l.queue.enough(out.want) {
				out.late.Reset(linger)
				continue
			}
			err = l.drain(&out)
		case <-out.late.C:
			err = l.drain(&out)
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

// outlet is what the writer of a link has at hand.
type outlet struct {
	batch
	w      *bufio.Writer
	late   *time.Timer
	frames [][]byte // memory
}

// drain writes until the queue is empty.
func (l *link) drain(out *outlet) error {
	out.late.Stop()
	written := 0
	for {
		runtime.Gosched() // whoever else is about to send shares the write
		out.frames = l.queue.take(out.frames)
		if len(out.frames) == 0 {
			out.learn(written < out.want, l.underWay())
			return out.w.Flush()
		}
		written += len(out.frames)
		for _, f := range out.frames {
			if _, err := out.w.Write(f); err != nil {
				return err
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
