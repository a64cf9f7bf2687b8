package epmd

import (
	"net"
	"net/netip"
	"sync"
)

// askers counts the connections whose request has not been answered yet, and those
// of one address, so that one machine cannot take the places of all others.
type askers struct {
	mu   sync.Mutex
	all  int
	here map[netip.Addr]int
}

func newAskers() *askers { return &askers{here: map[netip.Addr]int{}} }

// enter says whether one more may ask. It is to leave then.
func (a *askers) enter(from net.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	addr := address(from)
	if a.all >= maxAsking || a.here[addr] >= maxPerAddress {
		return false
	}
	a.all++
	a.here[addr]++
	return true
}

func (a *askers) leave(from net.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	addr := address(from)
	a.all--
	if a.here[addr]--; a.here[addr] == 0 {
		delete(a.here, addr)
	}
}

// address is without the port and, for IPv4 over IPv6, IPv4.
func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
