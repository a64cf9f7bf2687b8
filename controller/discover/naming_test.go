package discover

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ehc/state"
)

func TestMatch(t *testing.T) {
	cases := []struct {
		glob, name string
		want       bool
	}{
		{"*", "phoenix", true},
		{"*", "", true},
		{"", "", true},
		{"", "phoenix", false},
		{"phoenix", "phoenix", true},
		{"phoenix", "phoenix-1", false},
		{"phoenix-*", "phoenix-01J", true},
		{"phoenix-*", "phoenix-", true},
		{"phoenix-*", "a-phoenix-1", false},
		{"*-blue", "app-blue-blue", true},
		{"*-blue", "app-blue-green", false},
		{"app-?", "app-1", true},
		{"app-?", "app-", false},
		{"app-?", "app-é", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"**", "x", true},
		{"a.c", "abc", false},
		{"[ab]", "a", false},
	}
	for _, c := range cases {
		if got := Match(c.glob, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.glob, c.name, got, c.want)
		}
	}
}

// slow is a glob as a regular expression.
func slow(glob string) *regexp.Regexp {
	expr := regexp.QuoteMeta(glob)
	expr = strings.ReplaceAll(expr, `\*`, `.*`)
	expr = strings.ReplaceAll(expr, `\?`, `.`)
	return regexp.MustCompile(`(?s)\A` + expr + `\z`)
}

func TestMatchAgreesWithARegularExpression(t *testing.T) {
	globs := rapid.StringMatching(`[ab?*é]{0,10}`)
	names := rapid.StringMatching(`[abé]{0,14}`)
	rapid.Check(t, func(t *rapid.T) {
		glob, name := globs.Draw(t, "glob"), names.Draw(t, "name")
		if got, want := Match(glob, name), slow(glob).MatchString(name); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", glob, name, got, want)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, glob, name string) {
		if !utf8.ValidString(glob) || !utf8.ValidString(name) {
			t.Skip("no glob of a file and no name that is listed")
		}
		if got, want := Match(glob, name), slow(glob).MatchString(name); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", glob, name, got, want)
		}
	})
}

func TestFill(t *testing.T) {
	six := netip.MustParseAddr("fdaa:0:1::2")
	cases := []struct {
		template, host string
		want           state.Node
		fails          string
	}{
		{"phoenix@${ip}", "app.internal", "phoenix@fdaa:0:1::2", ""},
		{"phoenix@${host}", "a.app.internal", "phoenix@a.app.internal", ""},
		{"${host}@${ip}", "app", "app@fdaa:0:1::2", ""},
		{"phoenix@10.0.0.1", "app", "phoenix@10.0.0.1", ""},
		{"phoenix-${ip}", "app", "", `node "phoenix-fdaa:0:1::2": want name@host`},
		{"a@b@${ip}", "app", "", `node "a@b@fdaa:0:1::2": want name@host`},
		{"a b@${ip}", "app", "", `node "a b@fdaa:0:1::2": not a name of letters, digits and signs`},
	}
	for _, c := range cases {
		got, err := Fill(c.template, c.host, six)
		if got != c.want || text(err) != c.fails {
			t.Errorf("Fill(%q, %q) = %q, error %q; want %q, error %q", c.template, c.host, got, text(err), c.want, c.fails)
		}
	}
}

func TestFillNamesEachAddressOnce(t *testing.T) {
	raw := rapid.Custom(func(t *rapid.T) netip.Addr {
		addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		return addr.Unmap()
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := raw.Draw(t, "a"), raw.Draw(t, "b")
		one, err := Fill("app@${ip}", "", a)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := netip.ParseAddr(one.Host()); err != nil || back != a {
			t.Fatalf("%s does not hold %s: %v", one, a, err)
		}
		if two, _ := Fill("app@${ip}", "", b); (one == two) != (a == b) {
			t.Fatalf("%s and %s for %s and %s", one, two, a, b)
		}
	})
}

// FuzzListed: whatever an EPMD says, what is made of it is a node's name that
// may be shown.
func FuzzListed(f *testing.F) {
	for _, name := range []string{"phoenix", "rem-3f2a-phoenix", "a@b", "", "a\nb", "\x1b[2J", strings.Repeat("x", 300)} {
		f.Add(name)
	}
	addr := netip.MustParseAddr("fdaa::1")
	f.Fuzz(func(t *testing.T, name string) {
		node, ok := listed(name, addr)
		if !ok {
			return
		}
		if _, err := state.ParseNode(string(node)); err != nil || node.Name() != name || strings.ContainsAny(name, "\n\r\t\x1b \x00") {
			t.Fatalf("listed(%q) = %q", name, node)
		}
	})
}

func TestListedPassesConsolesOver(t *testing.T) {
	cases := map[string]bool{
		"phoenix-01J": true, "rem-3f2a-phoenix": false, "rpc-0b1c-phoenix-01J": false, "rem-3f2a": true,
		"remote": true, "rem-xyzw-phoenix": true, "rpc-3f2-phoenix": true, "my-rem-3f2a-x": true, "a@b": false, "": false,
	}
	for name, want := range cases {
		if _, got := listed(name, netip.MustParseAddr("10.0.0.1")); got != want {
			t.Errorf("listed(%q) is %v, want %v", name, got, want)
		}
	}
}
