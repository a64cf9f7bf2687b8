package spec

import (
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

// world is an Env of a few variables and files.
func world(vars, files map[string]string) Env {
	return Env{
		Lookup: func(name string) (string, bool) {
			value, ok := vars[name]
			return value, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			content, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(content), nil
		},
	}
}

// parse parses a file that has no errors, in the folder /etc/ehc.
func parse(t *testing.T, src string, env Env) state.Spec {
	t.Helper()
	got, diags := Parse("/etc/ehc/cluster.hcl", []byte(src), env)
	if diags.HasErrors() {
		t.Fatalf("unexpected errors:\n%s", diags.Text())
	}
	return got
}

// same compares specs, secrets included.
var same = cmp.Options{
	cmp.Comparer(func(a, b state.Secret) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

const head = `node {
  name   = "ehc@10.0.0.1"
  cookie = env("RELEASE_COOKIE")
}
`

var cookieSet = world(map[string]string{"RELEASE_COOKIE": "monster-of-the-env"}, map[string]string{
	"/etc/ehc/cookie":      "monster-of-the-file\n",
	"/run/secrets/cookie":  "monster-of-the-run",
	"/etc/ehc/sub/old.txt": "older\r\n\n",
})

func TestTheShortestFileGetsEveryDefault(t *testing.T) {
	want := state.Spec{
		Node: state.NodeSpec{
			Name: "ehc@10.0.0.1", Cookies: []state.Secret{state.NewSecret("monster-of-the-env")},
			Hidden: true, EPMDPort: 4369, Tick: 60 * time.Second,
		},
		DNS:    state.DNSSpec{Interval: 5 * time.Second, Timeout: 3 * time.Second},
		Outbox: state.OutboxSpec{MaxEvents: 1_000_000, MaxBytes: 256 << 20, MaxDead: 10_000, Remember: 100_000},
		RPC:    state.RPC{Timeout: 5 * time.Second, Count: state.Callable{Module: "Elixir.Remote.Metrics", Name: "get_count", Arity: 1}},
		Log:    state.LogSpec{Level: "info"},
	}
	if diff := cmp.Diff(want, parse(t, head, cookieSet), same); diff != "" {
		t.Error(diff)
	}
}

func TestFlysResolverIsAskedWhereTheFileNamesNone(t *testing.T) {
	servers := func(src, value string) []netip.AddrPort {
		env := world(map[string]string{"RELEASE_COOKIE": "monster-of-the-env", "FLY_NAMESERVER": value}, nil)
		return parse(t, head+src, env).DNS.Servers
	}
	fly := []netip.AddrPort{netip.MustParseAddrPort("[fdaa:0:18::3]:53")}
	for _, c := range []struct {
		src, value string
		want       []netip.AddrPort
	}{
		{"", "fdaa:0:18::3", fly},
		{"dns {}", "[fdaa:0:18::3]:53", fly},
		{"dns { servers = null }", "fdaa:0:18::3", fly},
		{"", "", nil},
		{"dns { servers = [] }", "fdaa:0:18::3", nil},
		{`dns { servers = ["10.0.0.2"] }`, "fdaa:0:18::3", []netip.AddrPort{netip.MustParseAddrPort("10.0.0.2:53")}},
	} {
		if diff := cmp.Diff(c.want, servers(c.src, c.value), same); diff != "" {
			t.Errorf("%q with FLY_NAMESERVER=%q: %s", c.src, c.value, diff)
		}
	}
	env := world(map[string]string{"RELEASE_COOKIE": "monster-of-the-env", "FLY_NAMESERVER": "fly.dns"}, nil)
	_, diags := Parse("cluster.hcl", []byte(head), env)
	if !strings.Contains(diags.Text(), `FLY_NAMESERVER is "fly.dns", which is not the address of a server`) {
		t.Errorf("a name in place of an address:\n%s", diags.Text())
	}
}

func TestEveryOptionReachesTheSpec(t *testing.T) {
	got := parse(t, `
node {
  name      = "ehc@fdaa:0:1::2"
  cookie    = [file("cookie"), file("/run/secrets/cookie")]
  listen    = "::"
  port      = "9100"
  epmd_port = 4370
  tick      = "8s"
  visible   = false
  tls {
    cert_file = "/etc/ehc/tls/cert.pem"
    key_file  = "/etc/ehc/tls/key.pem"
    ca_file   = "/etc/ehc/tls/ca.pem"
  }
}
dns {
  servers  = ["10.0.0.2", "10.0.0.3:5353", "fdaa::3", "[fdaa::4]", "[fdaa::5]:54"]
  interval = "1m"
  timeout  = "500ms"
}
peer "search" {
  queries = ["search.internal", "srv:_dist._tcp.search.internal", "static:search@10.0.0.9", "fly:search-1"]
  match   = "search-??-*"
  port    = 9000
  cookie  = env("RELEASE_COOKIE")
  prune {
    after       = "0s"
    max_share   = 1
    max_at_once = 0.1
    allow_empty = true
  }
  deliver {
    handler       = "my_mod.handle/1"
    mode          = "batch"
    batch_handler = "my_mod.handle_all/1"
    batch         = 64
    timeout       = "10s"
    tries         = 3
  }
}
peer "billing" {
  queries = ["billing.internal"]
  node    = "billing@${ip}"
  deliver { mode = "each" }
}
outbox {
  max_events = 10
  max_bytes  = "64MiB"
  max_age    = "24h"
  max_dead   = 5
  remember   = 0
}
receive {
  handler       = "my_mod.take!/1"
  batch_handler = "My.Mod.take_all/1"
  counts        = ["My.Mod.count/1"]
  remember_for  = "1h"
  remember_max  = 5000
}
pubsub "my_pubsub" {
  topics    = ["metrics:*", "room"]
  pool_size = 4
  relay     = true
}
pubsub "Elixir.My.PubSub" {
  topics = []
}
rpc {
  allow   = ["My.Mod.count!/1", "my_mod.add/2", "my_mod.all/0"]
  timeout = "2s"
  count   = "My.Mod.count!/1"
}
api {
  listen    = "[fdaa::2]:8400"
  token     = file("/run/secrets/cookie")
  cert_file = "/etc/ehc/tls/api.pem"
  key_file  = "/etc/ehc/tls/api-key.pem"
}
log {
  level  = "debug"
  format = "json"
}
telemetry {
  listen = "[::]:9568"
  traces = "https://otel.example.com/base/"
}
`, cookieSet)
	prune := state.Prune{After: 30 * time.Second, MaxShare: 0.5, MaxAtOnce: 0.34}
	want := state.Spec{
		Node: state.NodeSpec{
			Name:    "ehc@fdaa:0:1::2",
			Cookies: []state.Secret{state.NewSecret("monster-of-the-file"), state.NewSecret("monster-of-the-run")},
			Hidden:  true, Listen: netip.IPv6Unspecified(), Port: 9100, EPMDPort: 4370, Tick: 8 * time.Second,
			TLS: state.TLSSpec{CertFile: "/etc/ehc/tls/cert.pem", KeyFile: "/etc/ehc/tls/key.pem", CAFile: "/etc/ehc/tls/ca.pem"},
		},
		DNS: state.DNSSpec{
			Servers: []netip.AddrPort{
				netip.MustParseAddrPort("10.0.0.2:53"), netip.MustParseAddrPort("10.0.0.3:5353"),
				netip.MustParseAddrPort("[fdaa::3]:53"), netip.MustParseAddrPort("[fdaa::4]:53"),
				netip.MustParseAddrPort("[fdaa::5]:54"),
			},
			Interval: time.Minute, Timeout: 500 * time.Millisecond,
		},
		Apps: []state.App{
			{
				Name:     "billing",
				Queries:  []state.Lookup{{Text: "billing.internal", Kind: state.LookupHost, Target: "billing.internal"}},
				Template: "billing@${ip}",
				Prune:    prune,
				Deliver: &state.Deliver{
					Module: "Elixir.EventHorizon.Remote.Handler", Function: "handle_buffered_event",
					MaxBatch: 1000, Timeout: 5 * time.Second, Tries: 20,
				},
			},
			{
				Name: "search",
				Queries: []state.Lookup{
					{Text: "search.internal", Kind: state.LookupHost, Target: "search.internal"},
					{Text: "srv:_dist._tcp.search.internal", Kind: state.LookupSRV, Target: "_dist._tcp.search.internal"},
					{Text: "static:search@10.0.0.9", Kind: state.LookupStatic, Target: "search@10.0.0.9"},
					{Text: "fly:search-1", Kind: state.LookupFly, Target: "search-1"},
				},
				Match: "search-??-*", Port: 9000, Cookies: []state.Secret{state.NewSecret("monster-of-the-env")},
				Prune: state.Prune{MaxShare: 1, MaxAtOnce: 0.1, AllowEmpty: true},
				Deliver: &state.Deliver{
					Module: "my_mod", Function: "handle", Batch: state.Function{Module: "my_mod", Name: "handle_all"},
					MaxBatch: 64, Timeout: 10 * time.Second, Tries: 3,
				},
			},
		},
		Outbox: state.OutboxSpec{MaxEvents: 10, MaxBytes: 64 << 20, MaxAge: 24 * time.Hour, MaxDead: 5},
		Receive: &state.Receive{
			Handler: state.Function{Module: "my_mod", Name: "take!"},
			Batch:   state.Function{Module: "Elixir.My.Mod", Name: "take_all"},
			Counts:  []state.Function{{Module: "Elixir.My.Mod", Name: "count"}},
			Inbox:   state.InboxSpec{KeepFor: time.Hour, MaxIDs: 5000},
		},
		PubSub: []state.PubSub{
			{Name: "My.PubSub"},
			{Name: "my_pubsub", Topics: []string{"metrics:*", "room"}, Pool: 4, Relay: true},
		},
		RPC: state.RPC{
			Allow: []state.Callable{
				{Module: "Elixir.My.Mod", Name: "count!", Arity: 1}, {Module: "my_mod", Name: "add", Arity: 2}, {Module: "my_mod", Name: "all"},
			},
			Timeout: 2 * time.Second, Count: state.Callable{Module: "Elixir.My.Mod", Name: "count!", Arity: 1},
		},
		API: state.APISpec{
			Listen: netip.MustParseAddrPort("[fdaa::2]:8400"), Token: state.NewSecret("monster-of-the-run"),
			CertFile: "/etc/ehc/tls/api.pem", KeyFile: "/etc/ehc/tls/api-key.pem",
		},
		Log: state.LogSpec{Level: "debug", JSON: true},
		Telemetry: state.TelemetrySpec{
			Listen: netip.MustParseAddrPort("[::]:9568"), Traces: "https://otel.example.com/base",
		},
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Error(diff)
	}
}

func TestTheNodeTemplateKeepsItsPlaceholders(t *testing.T) {
	for written, want := range map[string]string{
		`"phoenix@${ip}"`:               "phoenix@${ip}",
		`"phoenix@$${ip}"`:              "phoenix@${ip}",
		`"phoenix@${host}"`:             "phoenix@${host}",
		`format("%s@n1.%s", "a", host)`: "a@n1.${host}",
		`"${local.base}@${ip}"`:         "base@${ip}",
	} {
		got := parse(t, head+`
locals { base = "base" }
peer "phoenix" {
  queries = ["a.internal"]
  node    = `+written+`
}`, cookieSet)
		if app := got.Apps[0]; app.Template != want || app.Match != "" {
			t.Errorf("node = %s gives template %q and match %q, want %q and none", written, app.Template, app.Match, want)
		}
	}
}

func TestErrorsLeaveTheZeroSpec(t *testing.T) {
	got, diags := Parse("cluster.hcl", []byte(head+"log { level = \"loud\" }"), cookieSet)
	if !diags.HasErrors() || diags.Err() == nil {
		t.Error("no error for a level that there is not")
	}
	if diff := cmp.Diff(state.Spec{}, got, same); diff != "" {
		t.Error(diff)
	}
}

func TestWarningsLeaveTheSpec(t *testing.T) {
	got, diags := Parse("cluster.hcl", []byte(`node {
  name   = "ehc@10.0.0.1"
  cookie = "plainly-written"
}`), Env{})
	if len(diags) != 1 || diags.HasErrors() || diags.Err() != nil || diags.Error() != "" {
		t.Errorf("want one warning and no error:\n%s", diags.Text())
	}
	if got.Node.Cookies[0].Reveal() != "plainly-written" {
		t.Error("the cookie is lost")
	}
}

func TestTheShortestReceiveBlockGetsEveryDefault(t *testing.T) {
	for name, c := range map[string]struct {
		options, module, one, many string
	}{
		"nothing":   {"", "Elixir.EventHorizon.Remote.Handler", "handle_buffered_event", "handle_buffered_events"},
		"a handler": {"\nhandler = \"My.Mod.take!/1\"\n", "Elixir.My.Mod", "take!", "takes"},
	} {
		want := &state.Receive{
			Handler: state.Function{Module: c.module, Name: c.one},
			Batch:   state.Function{Module: c.module, Name: c.many},
			Counts: []state.Function{
				{Module: "Elixir.Remote.Metrics", Name: "get_count"}, {Module: "Elixir.Remote.Metrics", Name: "get_realtime_count"},
			},
			Inbox: state.InboxSpec{KeepFor: 168 * time.Hour, MaxIDs: 1_000_000},
		}
		if diff := cmp.Diff(want, parse(t, head+"receive {"+c.options+"}\n", cookieSet).Receive); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestACallableIsReadBackAsItIsWritten(t *testing.T) {
	for _, text := range []string{"Remote.Metrics.get_count/1", "my_mod.all/0", "A.b?/255"} {
		if f, why := ParseCallable(text); why != "" || f.String() != text {
			t.Errorf("%s: %v, %s", text, f, why)
		}
	}
}

func TestChangedNamesWhatOfReceiveNeedsARestart(t *testing.T) {
	const block = "receive {\n%s\n}\n"
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"the block comes":           {"", fmt.Sprintf(block, ""), []string{"receive"}},
		"the block goes":            {fmt.Sprintf(block, ""), "", []string{"receive"}},
		"it remembers longer":       {fmt.Sprintf(block, ""), fmt.Sprintf(block, "remember_for = \"2h\"\nremember_max = 2000"), nil},
		"a handler, and its plural": {fmt.Sprintf(block, ""), fmt.Sprintf(block, `handler = "my_mod.take/1"`), []string{"receive.handler", "receive.batch_handler"}},
		"no counts":                 {fmt.Sprintf(block, ""), fmt.Sprintf(block, `counts = []`), []string{"receive.counts"}},
	} {
		got := Changed(parse(t, head+c.before, cookieSet), parse(t, head+c.after, cookieSet))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChangedNamesWhatNeedsARestart(t *testing.T) {
	const peer = `
peer "a" { queries = ["a.internal"] }`
	before := parse(t, head, cookieSet)
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"a new peer needs none":              {head + peer, nil},
		"another log needs none":             {head + `log { level = "debug" }`, nil},
		"another place for metrics does":     {head + `telemetry { listen = "[::]:1" }`, []string{"telemetry.listen"}},
		"other traces do":                    {head + `telemetry { traces = "http://a" }`, []string{"telemetry.traces"}},
		"a new interval needs none":          {head + `dns { interval = "9s" }`, nil},
		"a new name does":                    {"node {\nname = \"b@10.0.0.1\"\ncookie = env(\"RELEASE_COOKIE\")\n}", []string{"node.name"}},
		"a second cookie, a port and a tick": {"node {\nname = \"ehc@10.0.0.1\"\ncookie = [env(\"RELEASE_COOKIE\"), file(\"cookie\")]\nport = 9000\ntick = \"8s\"\n}", []string{"node.cookie", "node.port", "node.tick"}},
		"another place for the API does":     {head + `api { listen = "[::]:1" }`, []string{"api.listen"}},
		"another token does":                 {head + `api { token = file("cookie") }`, []string{"api.token"}},
		"TLS does":                           {strings.Replace(head, "}\n", "tls {\ncert_file = \"/c\"\nkey_file = \"/k\"\nca_file = \"/a\"\n}\n}\n", 1), []string{"node.tls"}},
		"where it listens and its EPMD":      {"node {\nname = \"ehc@10.0.0.1\"\ncookie = env(\"RELEASE_COOKIE\")\nlisten = \"0.0.0.0\"\nepmd_port = 4370\n}", []string{"node.listen", "node.epmd_port"}},
	} {
		if diff := cmp.Diff(c.want, Changed(before, parse(t, c.src, cookieSet))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestFormatLaysOutAndKeepsTheMeaning(t *testing.T) {
	ugly := "node{\nname=\"ehc@10.0.0.1\"\n      cookie   =    env(\"RELEASE_COOKIE\") # why\n}\n"
	want := "node {\n  name   = \"ehc@10.0.0.1\"\n  cookie = env(\"RELEASE_COOKIE\") # why\n}\n"
	got := Format([]byte(ugly))
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(parse(t, ugly, cookieSet), parse(t, string(got), cookieSet), same); diff != "" {
		t.Error(diff)
	}
	if again := Format(got); string(again) != string(got) {
		t.Errorf("formatting twice gives something else:\n%s", again)
	}
}
