package spec

import (
	"net/netip"

	"ehc/state"
)

// decodeAPI reads where the API is served beside its unix socket.
func decodeAPI(b block) state.APISpec {
	a := state.APISpec{Listen: b.listenAt("listen")}
	cert, gotCert := b.path("cert_file")
	key, gotKey := b.path("key_file")
	switch {
	case gotCert == absent && gotKey == present:
		b.missing("cert_file", `cert_file = "/etc/ehc/tls/cert.pem"`)
	case gotCert == present && gotKey == absent:
		b.missing("key_file", `key_file = "/etc/ehc/tls/key.pem"`)
	}
	a.CertFile, a.KeyFile = cert, key
	items, _ := b.list("token", 1, true, use{secret: true})
	for _, it := range items {
		if why := badToken(it.text); why != "" {
			b.wrong(it.at, "token", why)
			continue
		}
		if !it.outside {
			b.p.warnAt(it.at, "token in "+b.title+" is written in the file",
				"Whoever reads the file can change the cluster. Keep the token outside, such as by: token = env(\"EHC_API_TOKEN\")")
		}
		a.Token = state.NewSecret(it.text)
	}
	return a
}

// listenAt reads an address with a port; the zero AddrPort if there is none.
func (b block) listenAt(name string) netip.AddrPort {
	text, at, got := b.text(name, use{})
	if got != present {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil || addr.Port() == 0 {
		b.p.errorAt(at, name+" in "+b.title+`: want an address and a port such as "10.0.0.7:8400" or "[::]:8400"`,
			"IPv6 addresses stand in brackets here.")
	}
	return addr
}

// badToken says why nobody may be given a token, or "".
func badToken(text string) string {
	if len(text) < minToken || len(text) > maxToken {
		return "the token has fewer than 16 or more than 512 characters; ehc cookie makes a good one"
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return "the token has a character that is not printable ASCII, or a space"
		}
	}
	return ""
}
