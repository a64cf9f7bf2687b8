package spec

import (
	"fmt"
	"net/netip"
	"strings"

	"ehc/state"
)

// decodeDNS reads where and how often to look.
func decodeDNS(b block) state.DNSSpec {
	dns := state.DNSSpec{
		Interval: b.duration("interval", dnsInterval),
		Timeout:  b.duration("timeout", dnsTimeout),
	}
	servers, _ := b.list("servers", maxServers, false, use{})
	for _, it := range servers {
		server, err := parseServer(it.text)
		if err != nil {
			b.p.errorAt(it.at, fmt.Sprintf("servers in %s: %q is not the address of a server", b.title, it.text),
				`Such as: "10.0.0.2", "10.0.0.2:5353", "fdaa::3" or "[fdaa::3]:53". A name would need a server to look it up.`)
			continue
		}
		dns.Servers = append(dns.Servers, server)
	}
	return dns
}

// parseServer reads an address with or without a port.
func parseServer(text string) (netip.AddrPort, error) {
	bare := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		bare = text[1 : len(text)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil && (bare == text || addr.Is6()) {
		return netip.AddrPortFrom(addr, dnsPort), nil
	}
	server, err := netip.ParseAddrPort(text)
	if err == nil && server.Port() == 0 {
		err = fmt.Errorf("server %s: no port 0", text)
	}
	return server, err
}
