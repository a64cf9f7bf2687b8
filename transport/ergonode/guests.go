package ergonode

import (
	"net"
	"net/netip"
	"sync"
)

// guests counts the handshakes under way by address, so that one machine cannot
// take the places of all others. A guest is counted until it is let in or sent away.
type guests struct {
	most int // of one address

	mu   sync.Mutex
	here map[netip.Addr]int // of those that have one under way
}

func newGuests(most int) *guests { return &guests{most: most, here: map[netip.Addr]int{}} }

// enter says whether one more of an address may come in. It is to leave then.
func (g *guests) enter(from net.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := address(from)
	if g.here[a] >= g.most {
		return false
	}
	g.here[a]++
	return true
}

func (g *guests) leave(from net.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := address(from)
	if g.here[a]--; g.here[a] == 0 {
		delete(g.here, a)
	}
}

// address is without the port and, for IPv4 over IPv6, IPv4.
func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
