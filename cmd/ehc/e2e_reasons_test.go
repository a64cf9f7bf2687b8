package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// beamAt starts a plain Erlang node on a port of its own, without EPMD.
func (c *cluster) beamAt(name, host string, port uint16) *beam.Node {
	return beam.Start(c.t, beam.Options{
		Name: name + "@" + host, Cookie: testCookie, Address: netip.MustParseAddr(host),
		EPMDPort: int(transporttest.FreePort(c.t)), // where nobody is
		Args:     []string{"-erl_epmd_port", fmt.Sprint(port)},
	})
}

// stranger listens, says this to whoever connects, and then nothing.
func stranger(t *testing.T, words string) uint16 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(words))
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
		for _, conn := range open {
			_ = conn.Close()
		}
	})
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// static is a peer block with one node, which listens on this port.
func static(app, node string, port uint16) string {
	return fmt.Sprintf("peer %q {\n  queries = [\"static:%s\"]\n  port    = %d\n}\n", app, node, port)
}

// TestEveryWayNotToConnectHasItsReason dials what cannot be connected to, side by
// side: real nodes that do not want to, strangers, and nobody.
func TestEveryWayNotToConnectHasItsReason(t *testing.T) {
	c := newCluster(t)
	other := transporttest.FreePort(t)
	c.beamAt("other", "127.0.0.4", other)
	picky := c.beamAt("picky", "127.0.0.5", other)
	picky.Eval("net_kernel:allow(['friend@127.0.0.1'])")
	c.start(c.file("cluster.hcl", static("refused", "refused@127.0.0.1", transporttest.FreePort(t))+
		static("renamed", "wanted@127.0.0.4", other)+
		static("picky", "picky@127.0.0.5", other)+
		static("mute", "mute@127.0.0.1", stranger(t, ""))+
		static("ssh", "ssh@127.0.0.1", stranger(t, "SSH-2.0-Stranger\r\n"))+
		"peer \"ghost\" {\n  queries = [\"static:ghost@127.0.0.1\"]\n}\n"))
	for node, want := range map[string]string{
		"refused@127.0.0.1": "Unreachable",
		"wanted@127.0.0.4":  "WrongName",
		"picky@127.0.0.5":   "FlagsRefused",
		"mute@127.0.0.1":    "TimedOut",
		"ssh@127.0.0.1":     "NotErlang",
		"ghost@127.0.0.1":   "NotListed",
	} {
		c.eventually(node+" is "+want, func() bool { return c.node(node).Reason == want })
	}
}

// TestAFrozenNodeIsSilent: a machine that is gone without a word, which only the
// missing ticks show.
func TestAFrozenNodeIsSilent(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	config := c.file("cluster.hcl", `peer "phoenix" { queries = ["static:phoenix-a@127.0.0.2"] }`)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "node {\n", "node {\n  tick = \"4s\"\n", 1))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.start(config)
	c.eventually("the node is up", func() bool { return c.node(a.Name()).Phase == "up" })
	a.Freeze()
	defer a.Thaw()
	c.eventually("the silence is seen", func() bool { return strings.Contains(c.log.String(), "reason=Silent") })
	c.eventually("the node is down", func() bool { return c.node(a.Name()).Phase == "down" })
}

// TestWhoIsUpAndYetNotAsItShouldBe: a node that nobody asked for, one that answers
// no call, and an address without an EPMD.
func TestWhoIsUpAndYetNotAsItShouldBe(t *testing.T) {
	c := newCluster(t)
	guest := c.remote("guest", "127.0.0.2", testCookie)
	deaf, err := ergonode.Start(t.Context(), ergonode.Options{
		Name: "deaf@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie(testCookie)},
		Listen: addr("127.0.0.1"), EPMDPort: uint16(c.epmd),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(deaf.Stop)
	c.dns.Set("nowhere.internal", addr("127.0.0.9"))
	c.start(c.file("cluster.hcl", `
peer "deaf" { queries = ["static:deaf@127.0.0.1"] }
peer "nowhere" { queries = ["nowhere.internal"] }
`))
	if got := guest.Eval(`Node.connect(:"ehc@127.0.0.1")`); got != "true" {
		t.Fatalf("connect: %s", got)
	}
	condition := func(node, kind string) string {
		for _, cond := range c.node(node).Conditions {
			if cond.Type == kind {
				return cond.Reason
			}
		}
		return ""
	}
	c.eventually("the guest is unclaimed", func() bool { return condition(guest.Name(), "Discovered") == "Unclaimed" })
	c.eventually("the deaf node is up, and cannot be resynced", func() bool {
		return c.node(deaf.Name()).Phase == "up" && condition(deaf.Name(), "Synced") == "ResyncFailed"
	})
	if got := c.condition("deaf", "Synced").Reason; got != "NotSynced" {
		t.Errorf("Synced of its app: %s", got)
	}
	c.eventually("the address has no EPMD", func() bool { return c.condition("nowhere", "Discovered").Reason == "EPMDUnreachable" })
	a := guest.Name()
	if n := c.node(a); n.Phase != "up" || n.App != "" {
		t.Errorf("the guest = %+v", n)
	}
}
