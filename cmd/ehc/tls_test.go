package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// TestTLSOnAFixedPort joins nodes that speak TLS and run without EPMD, from a
// cluster.hcl. One of them has a certificate that is not ours.
func TestTLSOnAFixedPort(t *testing.T) {
	c := newCluster(t)
	ours, other := transporttest.NewAuthority(t), transporttest.NewAuthority(t)
	port := transporttest.FreePort(t)
	start := func(name, host string, f transporttest.TLSFiles) *beam.Node {
		return beam.Start(t, beam.Options{Name: name + "@" + host, Cookie: testCookie, Address: netip.MustParseAddr(host),
			EPMDPort: int(transporttest.FreePort(t)), // where nobody is
			Args:     append(f.Arguments(t, "inet_tls"), "-erl_epmd_port", fmt.Sprint(port))})
	}
	secure := start("secure", "127.0.0.2", ours.Issue("127.0.0.2"))
	foreign := start("foreign", "127.0.0.3", other.Issue("127.0.0.3").Trusting(ours))
	c.dns.Set("secure.internal", addr("127.0.0.2"))
	c.dns.Set("foreign.internal", addr("127.0.0.3"))

	f := ours.Issue("127.0.0.1")
	config := c.file("cluster.hcl", fmt.Sprintf(`
peer "secure" {
  queries = ["secure.internal"]
  node    = "secure@${ip}"
  port    = %[1]d
}
peer "foreign" {
  queries = ["foreign.internal"]
  node    = "foreign@${ip}"
  port    = %[1]d
}
`, port))
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	node := fmt.Sprintf("node {\n  port = %d\n  tls {\n    cert_file = %q\n    key_file  = %q\n    ca_file   = %q\n  }\n",
		port, f.Cert, f.Key, f.CA)
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "node {\n", node, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.start(config)
	c.eventually("the node with a certificate of ours is up", func() bool { return c.node(secure.Name()).Phase == "up" })
	c.eventually("the other one is refused", func() bool { return c.node(foreign.Name()).Reason == "TLSRefused" })
	if n := c.node(foreign.Name()); n.Phase == "up" {
		t.Errorf("node = %+v", n)
	}
	c.eventually("the plan says why", func() bool { // not while it is dialled again
		return strings.Contains(c.must("plan", "-config", config), "TLS refused")
	})
	secure.Await("nodes(hidden)", "['ehc@127.0.0.1']")
	if got := foreign.Eval("net_kernel:connect_node('ehc@127.0.0.1')"); got != "false" {
		t.Errorf("connect_node = %s", got)
	}
	c.eventually("the log names the cause", func() bool {
		return strings.Contains(c.log.String(), "the certificate of the peer is not signed by our CA")
	})
}
