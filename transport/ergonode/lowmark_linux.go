package ergonode

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// answerSize is what the peer's two answers to a call take at least, in bytes.
const answerSize = 150

// lowMark lets the kernel wake a reader only once there is enough to read
// (SO_RCVLOWAT), or once linger has passed. It is for one goroutine.
type lowMark struct {
	raw   syscall.RawConn
	timer *time.Timer
	armed bool // the timer is

	mu  sync.Mutex
	set int // bytes, as the kernel has it
}

// newLowMark returns nil for a connection that cannot have one: under TLS what
// arrives is not what is read.
func newLowMark(nc net.Conn) *lowMark {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	m := &lowMark{raw: raw, set: 1}
	m.timer = time.AfterFunc(time.Hour, func() { m.lower(1) })
	m.timer.Stop()
	return m
}

// aim has the read that follows wait until answers to so many calls are there.
func (m *lowMark) aim(calls int) {
	if m == nil {
		return
	}
	if calls <= 1 {
		m.lower(1)
		return
	}
	m.lower(calls * answerSize)
	m.timer.Reset(linger)
	m.armed = true
}

// late says whether the read that aim was for has come to an end by the time. It is
// to be asked after each, so that nothing is timed while nobody reads.
func (m *lowMark) late() bool {
	if m == nil || !m.armed {
		return false
	}
	m.armed = false
	return !m.timer.Stop()
}

func (m *lowMark) lower(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.set == bytes {
		return
	}
	m.set = bytes
	_ = m.raw.Control(func(fd uintptr) { // a closed connection wakes its reader anyway
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes)
	})
}
