package port_test

import (
	"fmt"
	"net"
	"testing"

	"ehc/transport/transporttest/port"
)

func TestPortsAreTheTestsOwn(t *testing.T) {
	seen := map[uint16]bool{}
	for range 300 {
		p := port.Free(t)
		if seen[p] {
			t.Fatalf("port %d is given twice", p)
		}
		seen[p] = true
		if p >= 32768 {
			t.Errorf("port %d is of those that the system gives", p)
		}
	}
	for p := range seen {
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "[::1]"} {
			l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, p))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
		}
	}
}

func TestAPortWithAListenerIsNotGiven(t *testing.T) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.9:%d", port.Free(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).AddrPort().Port()
	for range 300 {
		if port.Free(t) == taken {
			t.Fatalf("port %d is given, where somebody listens", taken)
		}
	}
}
