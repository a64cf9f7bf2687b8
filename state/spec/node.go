package spec

import (
	"net/netip"
	"strings"

	"ehc/state"
)

// decodeNode reads the node block: who ehc is.
func decodeNode(b block) state.NodeSpec {
	node := state.NodeSpec{
		Name:     ownName(b),
		Cookies:  cookies(b, true),
		Hidden:   true,
		Listen:   listen(b),
		Port:     uint16(b.count("port", nodePort)),
		EPMDPort: uint16(b.count("epmd_port", nodeEPMDPort)),
		Tick:     b.duration("tick", nodeTick),
		TLS:      decodeTLS(b.child("tls")),
	}
	if visible, at := b.flag("visible", false); visible {
		b.p.errorAt(at, "ehc is always a hidden node",
			"On a visible node that is no Erlang VM, global:sync/0 hangs on every peer. Remove the line.")
	}
	return node
}

func ownName(b block) state.Node {
	text, at, got := b.text("name", use{})
	switch got {
	case absent:
		b.missing("name", `name = "ehc@${env("FLY_PRIVATE_IP", "127.0.0.1")}"`)
		return ""
	case refused:
		return ""
	}
	node, why := validNode(text)
	if why != "" {
		b.p.errorAt(at, "name in "+b.title+": "+why, "A node is called name@host, where host is what its peers reach it by.")
		return ""
	}
	if addr, err := netip.ParseAddr(node.Host()); err == nil && addr.IsUnspecified() {
		b.p.errorAt(at, "name in "+b.title+": no peer can reach "+node.Host(),
			"Put the machine's own address into the name. Where ehc listens is the listen option.")
	}
	return node
}

func listen(b block) netip.Addr {
	text, at, got := b.text("listen", use{})
	if got != present {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		b.p.errorAt(at, "listen in "+b.title+`: want an address such as "127.0.0.1" or "::"`,
			"The port is the port option. IPv6 addresses stand without brackets here.")
	}
	return addr
}

// cookies reads a cookie, or the new one and the old one. A required one must
// be written.
func cookies(b block, required bool) []state.Secret {
	items, got := b.list("cookie", maxCookies, true, use{secret: true})
	switch {
	case got == absent && required:
		b.missing("cookie", `cookie = env("RELEASE_COOKIE")`)
		return nil
	case got == present && len(items) == 0:
		b.wrong(b.body.Attributes["cookie"].Expr.Range(), "cookie", "the list has none in it")
		return nil
	}
	var secrets []state.Secret
	for i, it := range items {
		b.checkCookie(it)
		if i > 0 && it.text == items[0].text {
			b.p.warnAt(it.at, "cookie in "+b.title+": the new one and the old one are the same", "")
		}
		secrets = append(secrets, state.NewSecret(it.text))
	}
	return secrets
}

// checkCookie reports what is wrong with a cookie, without a word of it.
func (b block) checkCookie(it item) {
	if why := badCookie(it.text); why != "" {
		b.wrong(it.at, "cookie", why)
		return
	}
	if !it.outside {
		b.p.warnAt(it.at, "cookie in "+b.title+" is written in the file",
			"Whoever reads the file can join the cluster. Keep the cookie outside, such as by: cookie = env(\"RELEASE_COOKIE\")")
	}
}

// badCookie says why no Erlang node can have a cookie, or "".
func badCookie(text string) string {
	switch {
	case text == "":
		return "the cookie is empty"
	case strings.TrimSpace(text) != text:
		return "the cookie begins or ends with white space"
	case len(text) > maxAtom:
		return "the cookie is too long: an atom has 255 characters at most"
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			return "the cookie has a character that is not printable ASCII, which two nodes may spell differently"
		}
	}
	return ""
}
