package ergonode

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"ehc/transport"
)

// slowConn takes so many bytes a second, and is late when there are more of them.
type slowConn struct {
	net.Conn
	rate  int
	late  time.Time
	wrote int         // times
	more  func() bool // before every write; false stops taking
}

func (c *slowConn) SetWriteDeadline(at time.Time) error {
	c.late = at
	return nil
}

func (c *slowConn) Write(b []byte) (int, error) {
	c.wrote++
	if !c.more() {
		time.Sleep(time.Until(c.late))
		return 0, os.ErrDeadlineExceeded
	}
	within := c.rate * int(time.Until(c.late)/time.Second)
	if within < len(b) {
		time.Sleep(time.Until(c.late))
		return within, os.ErrDeadlineExceeded
	}
	time.Sleep(time.Second)
	return len(b), nil
}

func slowLink(c *slowConn) (*link, context.CancelFunc) {
	l := &link{node: &Node{o: Options{Tick: time.Minute}}, nc: c, queue: newQueue(1 << 20)}
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithCancel(context.Background())
	return l, cancel
}

func TestASlowPeerKeepsItsLinkAndOneThatTakesNothingDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slowConn{rate: 1 << 10}
		l, cancel := slowLink(c)
		defer cancel()
		const writes = 20 // what one deadline lets pass is 15 KiB, and a step is more
		c.more = func() bool {
			l.heard.Add(1)
			return c.wrote <= writes
		}
		l.queue.push(make([]byte, 512<<10))
		if err := l.write(); !errors.Is(err, transport.ErrOverload) || c.wrote != writes+1 {
			t.Errorf("after %d writes: %v", c.wrote, err)
		}
	})
}

// TestADeadlineIsForOneWriteOnly: what TLS says by itself must not come too late because
// we have said nothing for a while.
func TestADeadlineIsForOneWriteOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slowConn{rate: 1 << 20, more: func() bool { return true }}
		w := &patientWriter{nc: c, step: recordStep, patience: time.Minute, shared: true}
		if n, err := w.Write(make([]byte, 3*recordStep)); n != 3*recordStep || err != nil {
			t.Error(n, err)
		}
		if !c.late.IsZero() {
			t.Errorf("after the write it still has to be done by %s", c.late)
		}
	})
}

func TestSilenceIsNoticedWhileThereIsAlwaysMoreToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slowConn{rate: 1 << 20}
		l, cancel := slowLink(c)
		defer cancel()
		c.more = func() bool {
			l.queue.push(make([]byte, writeBuffer+1))
			return c.wrote < 500 // seconds
		}
		l.queue.push(make([]byte, writeBuffer+1))
		if err := l.write(); !errors.Is(err, transport.ErrSilent) || c.wrote > 2*60 {
			t.Errorf("after %d seconds: %v", c.wrote, err)
		}
	})
}
