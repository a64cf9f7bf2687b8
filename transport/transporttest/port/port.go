// Package port gives tests ports of this machine that stay theirs.
//
// Who lets the system choose a port and then gives it back shares it with everybody
// whom the system gives one: listeners on port 0 and, far more often, the near ends
// of connections. So the ports here come from below the range that systems choose
// from, and a UDP socket of IPv6 on the same number keeps other tests, in this
// process and in others, from taking it as well.
package port

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// The ports that are given: Linux chooses from 32768 on, others from 49152.
const first, last = 12000, 31999

// Free returns a TCP port where nobody listens, at any address of this machine. No
// other call returns it until the test has ended.
func Free(t testing.TB) uint16 {
	t.Helper()
	for range 1000 {
		p := first + rand.IntN(last-first+1)
		if kept(t, p) && quiet(p) {
			return uint16(p)
		}
	}
	t.Fatal("no port is free")
	return 0
}

// kept holds the number for the test, unless somebody else does.
func kept(t testing.TB, p int) bool {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback, Port: p})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return !errors.Is(err, syscall.EADDRINUSE) // a machine without IPv6 has to go without
}

func quiet(p int) bool {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(p))
	return err == nil && l.Close() == nil
}
