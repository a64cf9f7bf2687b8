package spec

import (
	"slices"
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

// TestASecretMakesCookiesOnly: whatever else is made of it would be shown.
func TestASecretMakesCookiesOnly(t *testing.T) {
	const secret = "Zq7xWv9k"
	vars := map[string]string{"RELEASE_COOKIE": secret, "PLAIN": "10.0.0.1", "SHARED": secret, "IN_FORCE": secret, "EHC_VAR_shared": secret, "EHC_VAR_erl": secret}
	env := world(vars, map[string]string{
		"/etc/ehc/erl": secret, "/etc/ehc/plain": "10.0.0.1", "/run/secrets/c": secret, "/proc/self/environ": "X=" + secret,
	})
	env.Secret = func(name string) bool { return name == "IN_FORCE" || name == "EHC_VAR_erl" }
	const cookies = "cookie = [env(\"SHARED\"), file(\"erl\")]\n"
	for use, want := range map[string]string{
		`env("PLAIN")`:                                   "",
		`file("plain")`:                                  "",
		`local.own`:                                      "", // it stands in the file itself
		`env("RELEASE_COOKIE")`:                          "the environment variable RELEASE_COOKIE is a secret",
		`env("NO_COOKIE", "x")`:                          "the environment variable NO_COOKIE is a secret",
		`env(join("_", ["RELEASE", "COOKIE"]))`:          "the environment variable RELEASE_COOKIE is a secret",
		`env("SHARED")`:                                  "the environment variable SHARED is a secret",
		`env("IN_FORCE")`:                                "the environment variable IN_FORCE is a secret",
		`replace(file("erl"), "k", "x")`:                 `the file "erl" is a secret`,
		`file("/etc/ehc/../ehc/erl")`:                    `the file "/etc/ehc/../ehc/erl" is a secret`,
		`file("/run/secrets/c")`:                         `the file "/run/secrets/c" is a secret`,
		`split("=", file("../../proc/self/environ"))[1]`: `the file "../../proc/self/environ" is a secret`,
		`env("RELEASE_COOKIE") == "x" ? "y" : "z"`:       "the environment variable RELEASE_COOKIE is a secret",
		`local.made`:                                     "local.made is a secret",
		`upper(var.shared)`:                              "var.shared is a secret",
		`var["erl"]`:                                     "var.erl is a secret",
	} {
		src := "node {\n  name = \"ehc@10.0.0.9\"\n  " + cookies + "}\n" +
			"locals {\n  made = trimspace(env(\"SHARED\"))\n  own = \"10.0.0.1\"\n}\nvariable \"shared\" {}\nvariable \"erl\" {}\n" +
			"peer \"a\" {\n  queries = [\"static:a@${" + use + "}\"]\n  cookie = local.own\n}\n" +
			"peer \"b\" {\n  queries = [\"b.internal\"]\n  cookie = [var.shared, local.made]\n}\n"
		_, diags := Parse("/etc/ehc/cluster.hcl", []byte(src), env)
		text := diags.Text()
		if diags.HasErrors() != (want != "") || !strings.Contains(text, want) || strings.Contains(text, secret) {
			t.Errorf("%s: want %q in:\n%s", use, want, text)
		}
	}
}

func TestSecretNamesAreWhatCookiesAreMadeOf(t *testing.T) {
	got := SecretNames("/etc/ehc/cluster.hcl", []byte("node {\n cookie = [env(\"ERL\"), local.x]\n}\nlocals {\n x = file(\"./erl\")\n}\n"))
	for _, want := range []string{"ERL", "./erl", "/etc/ehc/erl"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q: want %s among them", got, want)
		}
	}
	if got := SecretNames("x.hcl", []byte("node {")); got != nil {
		t.Errorf("of what does not parse: %q", got)
	}
}
