package discover

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"ehc/state"
)

// maxName is the most bytes that the name of a node may have before the @.
const maxName = 255

// console matches the names that the remote consoles and one-off calls of
// Elixir releases take for as long as they run: rem-3f2a-NAME and rpc-3f2a-NAME.
var console = regexp.MustCompile(`^(rem|rpc)-[0-9a-f]{4,}-`)

// Match says whether all of name fits the glob: * stands for any number of
// characters, none included, ? for exactly one, and every other character for
// itself. Nothing escapes them: no node name holds either.
func Match(glob, name string) bool {
	pattern, text := []rune(glob), []rune(name)
	p, t := 0, 0
	star, resume := -1, 0 // the last *, and where in text it ends for now
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			// Only the last * need give way: what came before it matched
			// already, and at its earliest.
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(string(pattern[p:]), "*") == ""
}

// Fill makes a node name of a template: ${ip} is the address and ${host} the
// name that it was found under, or the address if there was none. It is an
// error if the outcome is no name of a node.
func Fill(template, host string, addr netip.Addr) (state.Node, error) {
	text := strings.NewReplacer("${ip}", addr.String(), "${host}", host).Replace(template)
	node, err := state.ParseNode(text)
	if err != nil {
		return "", err
	}
	if !printable(node.Name()) || !printable(node.Host()) {
		return "", fmt.Errorf("node %q: not a name of letters, digits and signs", text)
	}
	return node, nil
}

// listed makes the node of a name that EPMD lists at addr; false if the name is
// one to pass over: a console's, or none that a node could have.
func listed(name string, addr netip.Addr) (state.Node, bool) {
	if console.MatchString(name) || !printable(name) {
		return "", false
	}
	node, err := state.ParseNode(name + "@" + addr.String())
	return node, err == nil
}

// Judge makes the node of a name that EPMD lists at addr. why says why it is not
// one that the glob, or "*" if there is none, picks; empty if it is.
func Judge(glob, name string, addr netip.Addr) (node state.Node, why string) {
	node, ok := listed(name, addr)
	switch {
	case console.MatchString(name):
		return "", "is the console or the one-off call of a release"
	case !ok:
		return "", "cannot be a node's name"
	case !Match(cmp.Or(glob, "*"), name):
		return "", fmt.Sprintf("does not fit match %q", glob)
	}
	return node, ""
}

// printable says whether text can be shown to people as it is. A name comes
// from a machine that is not ours.
func printable(text string) bool {
	if text == "" || len(text) > maxName || !utf8.ValidString(text) {
		return false
	}
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
}
