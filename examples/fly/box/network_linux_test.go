package box_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"ehc/controller/discover/zone"
)

// resolverAt is where a Machine's resolver is.
var resolverAt = netip.MustParseAddr("fdaa::3")

// network is one organisation's private network.
type network struct {
	t        testing.TB
	hub      *space
	dns      *zone.Server
	resolver *cable
	cables   int
	places   int
	machines []*machine
	names    map[string]bool // what the zone has been told
}

// cable joins a space to the hub.
type cable struct {
	n    *network
	port string
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{t: t, hub: newSpace(t), names: map[string]bool{}}
	n.must(n.hub, "ip", "link", "add", "hub", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
	n.must(n.hub, "ip", "link", "set", "hub", "up")

	machine := newSpace(t)
	n.resolver = n.join(machine, netip.PrefixFrom(resolverAt, 128))
	var listener net.Listener
	var packets net.PacketConn
	var err error
	at := netip.AddrPortFrom(resolverAt, 53).String()
	machine.in(func() {
		if listener, err = net.Listen("tcp6", at); err == nil {
			packets, err = net.ListenPacket("udp6", at)
		}
	})
	if err != nil {
		t.Fatalf("serve DNS at %s: %v", at, err)
	}
	n.dns = zone.ServeOn(t.Context(), listener, packets)
	t.Cleanup(func() { _ = n.dns.Close() })
	return n
}

func (n *network) must(s *space, name string, args ...string) {
	n.t.Helper()
	if out, err := s.output(name, args...); err != nil {
		n.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// join gives s an eth0 with an address, and plugs it in.
func (n *network) join(s *space, addr netip.Prefix) *cable {
	n.t.Helper()
	n.cables++
	c := &cable{n: n, port: fmt.Sprintf("port%d", n.cables)}
	n.must(n.hub, "ip", "link", "add", c.port, "type", "veth", "peer", "name", "eth0", "netns", s.path())
	n.must(n.hub, "ip", "link", "set", c.port, "up")
	c.plug()
	n.must(s, "ip", "link", "set", "eth0", "up")
	n.must(s, "ip", "-6", "addr", "add", addr.String(), "dev", "eth0", "nodad")
	n.must(s, "ip", "-6", "route", "add", "fdaa::/16", "dev", "eth0")
	return c
}

// unplug cuts the cable: whatever is sent is lost, and nobody is told.
func (c *cable) unplug() { c.n.t.Helper(); c.n.must(c.n.hub, "ip", "link", "set", c.port, "nomaster") }

// plug joins it again.
func (c *cable) plug() {
	c.n.t.Helper()
	c.n.must(c.n.hub, "ip", "link", "set", c.port, "master", "hub")
}

// apart says whether this space and the others that are apart lose what they send
// each other. They reach, and are reached by, all that are not.
func (c *cable) apart(apart bool) {
	c.n.t.Helper()
	word := map[bool]string{true: "on", false: "off"}[apart]
	c.n.must(c.n.hub, "bridge", "link", "set", "dev", c.port, "isolated", word)
}
