package ergonode_test

import (
	"fmt"
	"net/netip"
	"testing"

	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// Here the machine's EPMD is a real one; TestIPv6 has ours.
func TestNodesOfIPv6FindEachOtherInEPMD(t *testing.T) {
	e := beam.EPMD(t)
	n := start(t, e, func(o *ergonode.Options) { o.Name, o.Listen = "ehc@::1", netip.IPv6Loopback() })
	if n.ServesEPMD() {
		t.Error("the EPMD is ours")
	}
	p := beam.Start(t, beam.Options{Name: "a@::1", Cookie: "monster", EPMDPort: e, Address: netip.IPv6Loopback()})
	names, err := epmd.Names(t.Context(), netip.AddrPortFrom(netip.IPv6Loopback(), uint16(e)))
	if err != nil || len(names) != 2 {
		t.Errorf("EPMD at ::1 lists %v, %v", names, err)
	}
	c := dial(t, n, p.Name())
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	forgotten(t, p, "ehc@::1")
	if got := p.Eval("net_kernel:connect_node('ehc@::1')"); got != "true" {
		t.Errorf("connect_node says %s", got)
	}
	if again := dial(t, n, p.Name()); !again.Peer().Accepted {
		t.Error("the peer's connection is not the one in use")
	}
}

// Nodes with -erl_epmd_port take it that every other node listens on that port too,
// each at an address of its own, and ask no EPMD.
func TestPeersOnAFixedPort(t *testing.T) {
	beam.Need(t)
	port := transporttest.FreePort(t)
	n := alone(t, func(o *ergonode.Options) { o.Port = port })
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.2", Cookie: "monster", Address: netip.MustParseAddr("127.0.0.2"),
		EPMDPort: int(transporttest.FreePort(t)), // where nobody is
		Args:     []string{"-erl_epmd_port", fmt.Sprint(port)}})

	_, err := n.Dial(within(t), transport.Target{Node: p.Name()})
	if why := transport.Reason(err); why != "NotListed" && why != "Unreachable" {
		t.Errorf("a dial by EPMD: %v", err)
	}
	conn, err := n.Dial(within(t), transport.Target{Node: p.Name(), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := conn.Call(within(t), "erlang", "nodes", atom("hidden")); err != nil || etf.Text(v) != "['"+ourName+"']" {
		t.Error(v, err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	forgotten(t, p, ourName)
	if got := p.Eval("net_kernel:connect_node('" + ourName + "')"); got != "true" {
		t.Errorf("connect_node says %s", got)
	}
	if again := dial(t, n, p.Name()); !again.Peer().Accepted {
		t.Error("the peer's connection is not the one in use")
	}
}
