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
	servers, got := b.list("servers", maxServers, false, use{})
	if got == absent {
		dns.Servers = b.flyServers()
	}
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

// flyNameserver is the variable that names Fly's resolver to its programs, where
// that is not the system's: on a machine that is joined by WireGuard.
const flyNameserver = "FLY_NAMESERVER"

// flyServers are the servers of a file that names none.
func (b block) flyServers() []netip.AddrPort {
	text, set := b.p.inputs.lookup(flyNameserver)
	if !set || text == "" {
		return nil
	}
	server, err := parseServer(text)
	if err != nil {
		b.p.errorAt(b.at, fmt.Sprintf("%s is %q, which is not the address of a server", flyNameserver, text),
			"Such as: fdaa::3 or [fdaa::3]:53. Unset it to ask the system's, or set servers in the dns block.")
		return nil
	}
	return []netip.AddrPort{server}
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
