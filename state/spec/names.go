package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"ehc/state"
)

// nameOK is what OTP accepts before the @ of a node's name (net_kernel refuses
// to start with any other), and globOK the same with wildcards.
var (
	nameOK  = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	globOK  = regexp.MustCompile(`^[0-9A-Za-z_*?-]+$`)
	labelOK = regexp.MustCompile(`^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?$`)
	numbers = regexp.MustCompile(`^[0-9.]+$`)
)

// validNode returns text as a node's name, or why it is none.
func validNode(text string) (node state.Node, why string) {
	if len(text) > maxAtom {
		return "", "a node's name has 255 characters at most"
	}
	node, err := state.ParseNode(text)
	if err != nil {
		return "", fmt.Sprintf("%q is not of the form name@host", text)
	}
	if !nameOK.MatchString(node.Name()) {
		return "", fmt.Sprintf("%q: before the @ stand letters a to z, digits, _ and -", text)
	}
	if why := badHost(node.Host()); why != "" {
		return "", fmt.Sprintf("%q: %s", text, why)
	}
	return node, ""
}

// badHost says why a node's host is neither an address nor a DNS name, or "".
func badHost(host string) string {
	switch addr, err := netip.ParseAddr(host); {
	case err == nil && addr.Zone() != "":
		return "an address in a node's name has no zone"
	case err == nil:
		return ""
	case strings.ContainsAny(host, "[]"):
		return "an IPv6 address stands without brackets after the @"
	case strings.Contains(host, ":") || numbers.MatchString(host):
		return "what follows the @ is no address"
	}
	if badName(host) != "" {
		return "what follows the @ is no DNS name"
	}
	return ""
}

// badName says why a name cannot be one of DNS, or "".
func badName(name string) string {
	bare := strings.TrimSuffix(name, ".")
	if len(bare) > maxHost {
		return "a DNS name has 253 characters at most"
	}
	for label := range strings.SplitSeq(bare, ".") {
		if len(label) > maxLabel || !labelOK.MatchString(label) {
			return fmt.Sprintf("%q is no DNS name", name)
		}
	}
	return ""
}

// badGlob says why text cannot pick names of nodes, or "".
func badGlob(text string) string {
	switch {
	case text == "":
		return `it is empty; "*" matches every name`
	case len(text) > maxAtom:
		return "a pattern has 255 characters at most"
	case strings.Contains(text, "@"):
		return fmt.Sprintf("%q: the pattern is compared with the part of the name before the @", text)
	case !globOK.MatchString(text):
		return fmt.Sprintf("%q: a pattern is made of letters, digits, _ and -, with * for any characters and ? for one", text)
	}
	return ""
}

// placeholders are what a node template may be made of, as they stand in it.
// They have no value when the file is read.
var placeholders = map[string]string{"ip": "${ip}", "host": "${host}"}

// badTemplate says why text cannot make the names of nodes, or "".
func badTemplate(text string) string {
	name, host, _ := strings.Cut(text, "@")
	if strings.Contains(name, "${") {
		return fmt.Sprintf("%q: an address or a DNS name cannot stand before the @", text)
	}
	if !strings.Contains(host, "${") {
		return fmt.Sprintf("%q is the same for every address", text)
	}
	filled := strings.NewReplacer("${ip}", "10.0.0.1", "${host}", "a.internal").Replace(host)
	if strings.Contains(filled, "${") {
		return fmt.Sprintf("%q: only ${ip} and ${host} can be filled in", text)
	}
	if _, why := validNode(name + "@" + filled); why != "" {
		return fmt.Sprintf("%q does not make a node's name", text)
	}
	return ""
}
