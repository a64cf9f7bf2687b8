package spec

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTheNearestNameIsSuggested(t *testing.T) {
	options := root.block("peer").attrs
	for name, want := range map[string]string{
		"querys": "queries", "qurey": "queries", "quer": "queries", "mathc": "match",
		"nod": "node", "nodes": "node", "cokie": "cookie", "COOKIE": "", "colour": "", "": "", "x": "",
		strings.Repeat("node", 100): "",
	} {
		if got := nearest(name, options); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestDistanceIsADistance(t *testing.T) {
	word := rapid.StringMatching(`[ab_]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b)
		if d != distance(b, a) {
			t.Fatal("it is not the same both ways")
		}
		if (d == 0) != (a == b) {
			t.Fatal("nothing but the same is no distance away")
		}
		if longest := max(len(a), len(b)); d > longest || d < longest-min(len(a), len(b)) {
			t.Fatalf("%d is out of bounds", d)
		}
	})
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{
		"64MiB": 64 << 20, "64 MiB": 64 << 20, "1GB": 1e9, "1.5kB": 1500, "2KB": 2000, "10B": 10,
		"1024": 1024, "1TiB": 1 << 40, "1TB": 1e12, "0.5GiB": 1 << 29,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1MiB", "1e3MiB", "0x10", "64mib", "64 ", "1..5B", "InfB", "99999999999999TiB", "6 4MiB"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestASizeIsReadBackAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<50).Draw(t, "n")
		if got, ok := parseSize(briefSize(n)); !ok || got != n {
			t.Fatalf("%d is written %s and read %d", n, briefSize(n), got)
		}
	})
}

func TestHandlersAreTheAtomsOfErlang(t *testing.T) {
	for text, want := range map[string][2]string{
		"EventHorizon.Remote.Handler.handle_buffered_event/1": {"Elixir.EventHorizon.Remote.Handler", "handle_buffered_event"},
		"Elixir.EventHorizon.Handler.handle/1":                {"Elixir.EventHorizon.Handler", "handle"},
		"Handler.handle!/1":                                   {"Elixir.Handler", "handle!"},
		"my_mod.handle/1":                                     {"my_mod", "handle"},
	} {
		module, function, why := parseHandler(text)
		if why != "" || module != want[0] || function != want[1] {
			t.Errorf("%q: got %q %q %q", text, module, function, why)
		}
	}
	for _, text := range []string{"", "/1", "handle/1", ".handle/1", "My..Mod.handle/1", "my.mod.handle/1", "Mod.handle/", "Mod.handle/1/1", "Mod.han dle/1",
		strings.Repeat("M", 255) + ".handle/1"} {
		if module, function, why := parseHandler(text); why == "" {
			t.Errorf("%q is taken for %s:%s", text, module, function)
		}
	}
}

func TestNodesHaveTheNamesThatOTPTakes(t *testing.T) {
	for _, name := range []string{"a@b", "a_b-c@127.0.0.1", "a@fdaa:0:1::2", "1@x.internal", "A-1@a-b.c_d.", strings.Repeat("n", 250) + "@host"} {
		if _, why := validNode(name); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
	for _, name := range []string{"", "a", "@", "a@", "@b", "a@b@c", "a.b@c", "a+b@c", "a b@c", "é@c", "a@ü", "a@b c", "a@b..c", "a@-b", "a@1.2.3.4.5", "a@fe80::1%eth0",
		strings.Repeat("n", 251) + "@host"} {
		if node, why := validNode(name); why == "" {
			t.Errorf("%q is taken for %q", name, node)
		}
	}
}

func TestVariablesComeFromTheEnvironmentBeforeTheDefault(t *testing.T) {
	src := head + `
variable "grace" { default = "30s" }
variable "port" { default = 9000 }
variable "app" {}
locals { host = "${var.app}.${lower("INTERNAL")}" }
peer "a" {
  queries = [local.host]
  port    = var.port
  prune { after = var.grace }
}`
	env := world(map[string]string{"RELEASE_COOKIE": "x-x", "EHC_VAR_app": "billing", "EHC_VAR_port": "9001"}, nil)
	app := parse(t, src, env).Apps[0]
	if app.Queries[0].Target != "billing.internal" || app.Port != 9001 || app.Prune.After != pruneAfter.value {
		t.Errorf("got %+v", app)
	}
}

func TestFunctionsGiveWhatTheyPromise(t *testing.T) {
	env := world(map[string]string{"RELEASE_COOKIE": "x-x", "EMPTY": "", "LIST": "a,b", "NIL": "nil"},
		map[string]string{"/etc/ehc/sub/name": "c\r\n\n", "/abs": "d"})
	for text, want := range map[string]string{
		`env("LIST")`:                               "a,b",
		`env("UNSET", "e")`:                         "e",
		`"a${env("EMPTY", "e")}"`:                   "a",
		`coalesce(env("EMPTY"), null, "f")`:         "f",
		`file("sub/name")`:                          "c",
		`file("/abs")`:                              "d",
		`format("%s-%03d", "a", 7)`:                 "a-007",
		`join("-", split(",", env("LIST")))`:        "a-b",
		`join("-", concat(["a"], ["b"]))`:           "a-b",
		`upper(lower("Ab"))`:                        "AB",
		`replace("a-b-c", "-", "_")`:                "a_b_c",
		`substr("abc", 1, -1)`:                      "bc",
		`trimspace(" a ")`:                          "a",
		`trimprefix("ab", "a")`:                     "b",
		`trimsuffix("ab", "b")`:                     "a",
		`env("UNSET", null) == null ? "no" : "yes"`: "no",
	} {
		got := parse(t, head+"peer \"p\" {\n queries = [replace("+text+", \",\", \"_\")]\n}\n", env).Apps[0].Queries[0].Text
		if got != strings.ReplaceAll(want, ",", "_") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestNothingIsReadWithoutAnEnv(t *testing.T) {
	_, diags := Parse("cluster.hcl", []byte("node {\n name = file(\"x\")\n cookie = env(\"HOME\")\n}\n"), Env{})
	if len(diags) != 2 {
		t.Error(diags.Text())
	}
}

func TestAFileThatIsTooLongIsNotRead(t *testing.T) {
	env := world(nil, map[string]string{"/etc/ehc/long": strings.Repeat("x", maxFile+1)})
	_, diags := Parse("/etc/ehc/cluster.hcl", []byte("locals { x = file(\"long\") }\n"), env)
	if !strings.Contains(diags.Text(), "it has more than") {
		t.Error(diags.Text())
	}
}

func TestSystemReadsThisProcess(t *testing.T) {
	t.Setenv("EHC_SPEC_TEST", "here")
	env := System()
	if value, ok := env.Lookup("EHC_SPEC_TEST"); !ok || value != "here" {
		t.Error("the environment is not read")
	}
	if content, err := env.ReadFile(referenceFile); err != nil || len(content) == 0 {
		t.Error("a file is not read:", err)
	}
	if content, err := env.ReadFile("/dev/zero"); err != nil || len(content) != maxFile+1 {
		t.Errorf("an endless file: %d bytes, %v", len(content), err)
	}
	if _, err := env.ReadFile(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
}
