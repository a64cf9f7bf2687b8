package spec

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

// However a cookie is spoilt, no diagnostic shows it.
func TestNoCookieIsShownWhateverIsWrong(t *testing.T) {
	const secret = "Zq7xWv9k"
	rapid.Check(t, func(t *rapid.T) {
		cookie := rapid.SampledFrom([]string{
			`"` + secret + `"`, secret, `["` + secret + `", "` + secret + `2"]`, `env("C")`, `file("c")`, `upper("` + secret + `")`,
			`"a${env("C")}b"`, `local.c`, `var.c`, `<<X` + "\n" + secret + "\nX\n", `"` + secret, `'` + secret + `'`, `{ a = "` + secret + `" }`,
			`env("NONE", "` + secret + `")`, `true ? "` + secret + `" : 7`,
		}).Draw(t, "cookie")
		use := rapid.SampledFrom([]string{`env("C")`, `file("c")`, `"${env("C")} "`, `local.c`, `var.c`, `upper(env("C"))`}).Draw(t, "use")
		src := "node {\n  name = " + use + "\n  cookie = " + cookie + "\n}\n" +
			"locals {\n  c = \"" + secret + "\"\n}\nvariable \"c\" {\n  default = \"" + secret + "\"\n}\n" +
			"peer \"a\" {\n  queries = [" + use + "]\n  cookie = " + cookie + "\n  match = " + use + "\n}\n"
		cut := rapid.IntRange(0, len(src)).Draw(t, "cut")
		insert := rapid.SampledFrom([]string{"", "", "\"", "}", "{", "(", "\n", "$", "1", "="}).Draw(t, "insert")
		spoilt := src[:cut] + insert + src[cut:]
		for _, kept := range []string{"cookie = ", "  c = ", "locals {", "variable \"c\" {", "default = "} {
			if strings.Count(spoilt, kept) != strings.Count(src, kept) {
				spoilt = src // without these words nothing tells that it is a secret
			}
		}
		src = spoilt
		// All these are cookies elsewhere, and so secrets here.
		src = "peer \"x\" {\n  cookie = [local.c, var.c]\n}\npeer \"y\" {\n  cookie = [env(\"C\"), file(\"c\")]\n}\n" + src
		env := world(map[string]string{"C": secret, "RELEASE_COOKIE": secret}, map[string]string{"c": secret + "\n"})
		_, diags := Parse("cluster.hcl", []byte(src), env)
		for _, d := range diags {
			before := strings.Join(strings.SplitAfter(src, "\n")[:max(d.Line-1, 0)], "")
			nameless := strings.Contains(before, "locals {") && !strings.Contains(before, "peer \"a\"")
			if nameless && !parses(src) {
				continue // in a text that does not parse nothing tells that these make a cookie
			}
			if text := (Diagnostics{d}).Text(); strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Fatalf("shown:\n%s\nof:\n%s", text, src)
			}
		}
	})
}

func parses(src string) bool {
	_, diags := hclsyntax.ParseConfig([]byte(src), "x", hcl.InitialPos)
	return !diags.HasErrors()
}
