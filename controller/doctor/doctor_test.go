package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/controller/discover/zone"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const strongCookie = "0123456789-abcdefghijklmnopqrstuvwxyz"

// ward is a world in memory: nodes, an EPMD for each address, a name server.
type ward struct {
	t     *testing.T
	net   *transporttest.Network
	dns   *zone.Server
	env   map[string]string
	names map[netip.Addr][]string // that EPMD lists; an address that is not here has none
	spec  state.Spec
	data  string
	skew  time.Duration // of our clock
}

func newWard(t *testing.T) *ward {
	t.Helper()
	dns, err := zone.Serve(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{
		t: t, net: transporttest.NewNetwork(), dns: dns,
		env: map[string]string{}, names: map[netip.Addr][]string{},
		spec: state.Spec{
			Node: state.NodeSpec{Name: "ehc@127.0.0.1", Cookies: []state.Secret{state.NewSecret(strongCookie)}, Hidden: true, Tick: time.Minute},
			DNS:  state.DNSSpec{Servers: []netip.AddrPort{dns.Addr()}, Timeout: 10 * time.Second},
		},
	}
	t.Cleanup(func() {
		w.net.Close()
		if err := dns.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *ward) app(name string, kind state.LookupKind, target string) *state.App {
	w.spec.Apps = append(w.spec.Apps, state.App{Name: name, Queries: []state.Lookup{{Text: target, Kind: kind, Target: target}}})
	return &w.spec.Apps[len(w.spec.Apps)-1]
}

// node is a peer that answers what a BEAM does.
func (w *ward) node(name, otp string) *transporttest.Node {
	n := w.net.Add(name)
	answer := func(module, function string, arity int, f func([]transport.Term) (transport.Term, error)) {
		n.Handle(transport.Function{Module: module, Name: function, Arity: arity},
			func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) { return f(args) })
	}
	answer("erlang", "system_info", 1, func([]transport.Term) (transport.Term, error) {
		var l etf.List
		for _, c := range otp {
			l = append(l, int(c))
		}
		return l, nil
	})
	answer("erlang", "system_time", 1, func([]transport.Term) (transport.Term, error) { return int(time.Now().UnixMilli()), nil })
	answer("net_kernel", "get_net_ticktime", 0, func([]transport.Term) (transport.Term, error) { return 60, nil })
	answer("pg", "which_groups", 1, func([]transport.Term) (transport.Term, error) {
		return etf.List{etf.Atom("Elixir.My.PubSub.Adapter"), etf.Atom("Elixir.My.PubSub.Adapter_2"), etf.Atom("Elixir.other.Adapter")}, nil
	})
	return n
}

// examine returns what a doctor finds, by check; of several findings the last one.
func (w *ward) examine(app string) map[string]Finding {
	w.t.Helper()
	dialer := w.net.Dialer("ehc-doctor@127.0.0.1", nil, transport.NewCookie(strongCookie))
	world := World{
		Spec: w.spec, Lookup: func(name string) (string, bool) { v, ok := w.env[name]; return v, ok },
		Now: func() time.Time { return time.Now().Add(w.skew) }, DataDir: w.data, Probe: dialer,
		Caller: func(ctx context.Context, t transport.Target) (transport.Caller, func(), error) {
			c, err := dialer.Dial(ctx, t)
			if err != nil {
				return nil, nil, err
			}
			return c, func() { _ = c.Close() }, nil
		},
		Names: func(_ context.Context, at netip.AddrPort) ([]epmd.Entry, error) {
			names, ok := w.names[at.Addr()]
			if !ok {
				return nil, transport.ErrUnreachable
			}
			var entries []epmd.Entry
			for _, n := range names {
				entries = append(entries, epmd.Entry{Name: n, Port: 1})
			}
			return entries, nil
		},
	}
	known := map[string]bool{}
	for _, c := range Checks() {
		known[c.Word] = true
	}
	found := map[string]Finding{}
	Examine(w.t.Context(), world, app, func(f Finding) {
		if !known[f.Check] || f.Message == "" || (f.Level == OK) != (f.Fix == "") {
			w.t.Errorf("no such check, no message, or a fix that does not go with the level: %+v", f)
		}
		if strings.Contains(f.Message+f.Fix, strongCookie) {
			w.t.Errorf("shows the cookie: %+v", f)
		}
		found[f.Check] = f
	})
	return found
}

func (w *ward) want(found map[string]Finding, check string, level Level, words ...string) {
	w.t.Helper()
	f := found[check]
	if f.Level != level {
		w.t.Errorf("%s: %+v, want %s", check, f, level)
	}
	for _, word := range words {
		if !strings.Contains(f.Message+" / "+f.Fix, word) {
			w.t.Errorf("%s: %q is not in %+v", check, word, f)
		}
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestAHealthyCluster(t *testing.T) {
	w := newWard(t)
	w.data = t.TempDir()
	w.dns.Set("a.internal", ip("127.0.0.2"))
	w.names[ip("127.0.0.1")] = nil
	w.names[ip("127.0.0.2")] = []string{"a1"}
	w.node("a1@127.0.0.2", "27")
	w.app("a", state.LookupHost, "a.internal")
	found := w.examine("")
	for _, check := range []string{Cookie, NodeName, Visibility, TLS, DataFolder, OwnEPMD, Resolves, EPMD, Names, Handshake, OTPRelease, TickTime, Clock, PubSub} {
		w.want(found, check, OK)
	}
	w.want(found, Resolves, OK, "1 A from "+w.dns.Addr().String(), "TTL 5s")
	w.want(found, PubSub, OK, "My.PubSub (pool of 2), other (pool of 1)")
}

func TestAWeakCookie(t *testing.T) {
	for text, level := range map[string]Level{
		"monster":                    Warning,
		strings.Repeat("a", 40):      Warning,
		"abcdefghij":                 Warning,
		"-" + strongCookie:           Warning,
		"+" + strongCookie:           Warning,
		strongCookie:                 OK,
		"HVvqS0xXIVhMmaYcVTb7d3B0lA": OK,
	} {
		w := newWard(t)
		w.spec.Node.Cookies = []state.Secret{state.NewSecret(text)}
		w.want(w.examine(""), Cookie, level)
		w.env["FLY_MACHINE_ID"] = "1"
		if level == Warning {
			w.want(w.examine(""), Cookie, level, "fly secrets set")
		}
	}
}

func TestANameThatIsNotOfThisMachine(t *testing.T) {
	w := newWard(t)
	w.spec.Node.Name = "ehc@192.0.2.1" // of no machine (RFC 5737)
	w.want(w.examine(""), NodeName, Failure, "no address of this machine")
	w.spec.Node.Name = "ehc@127.0.0.1"
	w.env["FLY_MACHINE_ID"] = "1"
	w.want(w.examine(""), NodeName, Failure, "loopback", "FLY_PRIVATE_IP")
	w.spec.Node.Hidden = false
	w.want(w.examine(""), Visibility, Warning, "visible = false")
}

func TestTheDataFolder(t *testing.T) {
	w := newWard(t)
	w.data = filepath.Join(t.TempDir(), "not", "yet")
	w.want(w.examine(""), DataFolder, OK, "ehc run makes it")
	w.data = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(w.data, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.want(w.examine(""), DataFolder, Failure, "write in "+w.data, "mkdir")
	w.data = "/"
	w.env["FLY_MACHINE_ID"] = "1"
	if os.Geteuid() == 0 { // else it is not writable, which counts first
		w.want(w.examine(""), DataFolder, Failure, "not on a volume", "fly volumes create")
	}
}

func TestTheFilesOfTLS(t *testing.T) {
	w := newWard(t)
	dir := t.TempDir()
	w.spec.Node.TLS = state.TLSSpec{CertFile: dir + "/no.pem", KeyFile: dir + "/no.key", CAFile: dir + "/ca.pem"}
	w.want(w.examine(""), TLS, Failure, "no.pem")

	ca, other := transporttest.NewAuthority(t), transporttest.NewAuthority(t)
	try := func(f transporttest.TLSFiles) map[string]Finding {
		w.spec.Node.TLS = state.TLSSpec{CertFile: f.Cert, KeyFile: f.Key, CAFile: f.CA}
		return w.examine("")
	}
	month := time.Now().Add(30 * 24 * time.Hour)
	good := func() *x509.Certificate { return &x509.Certificate{DNSNames: []string{"127.0.0.1"}, NotAfter: month} }
	w.want(try(ca.IssueFrom(good())), TLS, OK, "is good until")
	w.want(try(ca.Issue("127.0.0.1")), TLS, Warning, "expires at")
	w.want(try(ca.IssueFrom(&x509.Certificate{DNSNames: []string{"other.internal"}, NotAfter: month})), TLS, Failure, "127.0.0.1")
	w.want(try(ca.IssueFrom(good()).Trusting(other)), TLS, Failure, "unknown authority")
	w.skew = 60 * 24 * time.Hour
	w.want(try(ca.IssueFrom(good())), TLS, Failure, "expired")
}

// TestAFixIsForWhereEhcRuns: fly is no command of whoever is elsewhere.
func TestAFixIsForWhereEhcRuns(t *testing.T) {
	w := newWard(t)
	w.app("a", state.LookupHost, "a.internal")
	f := w.examine("a")[Resolves]
	if w.want(map[string]Finding{Resolves: f}, Resolves, Warning, "start the app"); strings.Contains(f.Fix, "fly") {
		t.Errorf("not on Fly: %+v", f)
	}
	w.env["FLY_MACHINE_ID"] = "1"
	w.want(w.examine("a"), Resolves, Warning, "start the app: fly status -a ")
}

func TestNameServersThatFail(t *testing.T) {
	w := newWard(t)
	w.app("a", state.LookupHost, "a.internal")
	w.dns.Fail("a.internal", zone.ServFail)
	found := w.examine("a")
	w.want(found, Resolves, Failure, "SERVFAIL from "+w.dns.Addr().String(), "dig @127.0.0.1")
	w.want(found, Nodes, Failure)

	// One of two servers is enough to go on with, and the other is told.
	second, err := zone.Serve(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	second.Set("a.internal", ip("127.0.0.2"))
	w.spec.DNS.Servers = append(w.spec.DNS.Servers, second.Addr())
	w.names[ip("127.0.0.2")] = []string{"a1"}
	w.node("a1@127.0.0.2", "27")
	w.want(w.examine("a"), Handshake, OK)
}

func TestFlysMachinesAndNetworks(t *testing.T) {
	w := newWard(t)
	w.spec.Node.Name = "ehc@fdaa:0:18:a7b::2"
	w.env["FLY_MACHINE_ID"], w.env["FLY_PRIVATE_IP"] = "1", "fdaa:0:18:a7b::2"
	w.app("a", state.LookupFly, "shop")
	w.dns.Set("shop.internal", ip("fdaa:0:18:b::2"), ip("fdaa:0:99:b::2"))
	w.dns.SetTXT("vms.shop.internal", "683d314fdd4d68 yyz")
	w.dns.SetTXT("all.vms.shop.internal", "683d314fdd4d68 yyz,568323e9b54dd8 lhr")
	found := w.examine("a")
	w.want(found, Machines, Warning, "1 of 2 machines", "fly machine start 568323e9b54dd8 -a shop")
	w.want(found, SameNetwork, Failure, "fdaa:0:18::/48", "fdaa:0:99:b::2")
	w.want(found, EPMD, Failure, "no EPMD answers")

	w.dns.SetTXT("vms.shop.internal", "683d314fdd4d68 yyz,568323e9b54dd8 lhr")
	w.dns.Set("shop.internal", ip("fdaa:0:18:b::2"))
	found = w.examine("a")
	w.want(found, Machines, OK, "2 of 2")
	w.want(found, SameNetwork, OK)
	w.dns.SetTXT("vms.shop.internal")
	w.dns.SetTXT("all.vms.shop.internal")
	w.want(w.examine("a"), Machines, Failure, "lists no machine of shop")
}

func TestWhatIsWrongInsideANode(t *testing.T) {
	w := newWard(t)
	a := w.app("a", state.LookupStatic, "a1@127.0.0.2")
	a.Deliver = &state.Deliver{Module: "Elixir.H", Function: "handle", Batch: state.Function{Module: "Elixir.H", Name: "handles"}}
	n := w.node("a1@127.0.0.2", "24")
	n.Handle(transport.Function{Module: "code", Name: "ensure_loaded", Arity: 1}, func(context.Context, string, []transport.Term) (transport.Term, error) {
		return etf.Tuple{etf.Atom("error"), etf.Atom("nofile")}, nil
	})
	exported := map[etf.Atom]bool{}
	n.Handle(transport.Function{Module: "erlang", Name: "function_exported", Arity: 3}, func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		return exported[args[1].(etf.Atom)], nil
	})
	n.Handle(transport.Function{Module: "net_kernel", Name: "get_net_ticktime"}, func(context.Context, string, []transport.Term) (transport.Term, error) { return 15, nil })
	n.Handle(transport.Function{Module: "pg", Name: "which_groups", Arity: 1}, func(context.Context, string, []transport.Term) (transport.Term, error) {
		return nil, &transport.RaisedError{Class: "error", Reason: etf.Atom("badarg"), Text: "badarg"}
	})
	n.Handle(transport.Function{Module: "erlang", Name: "whereis", Arity: 1}, func(context.Context, string, []transport.Term) (transport.Term, error) {
		return etf.Pid{Node: "a1@127.0.0.2", ID: 7, Creation: 1}, nil
	})
	w.skew = time.Hour
	found := w.examine("a")
	w.want(found, OTPRelease, Failure, "OTP 24", "OTP 25 or later")
	w.want(found, TickTime, Warning, "15s of silence", `tick = "15s"`)
	w.want(found, Clock, Warning, "-1h0m")
	w.want(found, Handler, Failure, "does not export H.handle/1")
	w.want(found, PubSub, Failure, "deaf")

	w.skew = 0
	exported["handle"] = true
	w.want(w.examine("a"), Handler, OK, "none for batches")
	exported["handles"] = true
	w.want(w.examine("a"), Handler, OK, "H.handles/1 for batches")
	n.Handle(transport.Function{Module: "erlang", Name: "whereis", Arity: 1}, func(context.Context, string, []transport.Term) (transport.Term, error) {
		return etf.Atom("undefined"), nil
	})
	w.want(w.examine("a"), PubSub, OK, "runs no Phoenix.PubSub")
	w.node("a1@127.0.0.2", "31")
	w.want(w.examine("a"), OTPRelease, Warning, "tested with 25 to 29")
}

// A node that is no friend may answer anything, of any length.
func TestWhatANodeSaysIsCutShort(t *testing.T) {
	w := newWard(t)
	w.node("a1@127.0.0.2", strings.Repeat("x", 1<<20))
	w.app("a", state.LookupStatic, "a1@127.0.0.2")
	found := w.examine("a")
	w.want(found, OTPRelease, OK, "no number: xxx", "…")
	if n := len(found[OTPRelease].Message); n > 2*maxMessage {
		t.Errorf("a message of %d bytes", n)
	}
}

func TestWhyANodeDoesNotConnect(t *testing.T) {
	for cause, word := range map[error]string{
		transport.ErrCookie: "CookieRejected", transport.ErrNotListed: "NotListed", transport.ErrName: "WrongName",
		transport.ErrFlags: "FlagsRefused", transport.ErrTLS: "TLSRefused", transport.ErrProtocol: "NotErlang",
		transport.ErrUnreachable: "Unreachable", transport.ErrTimeout: "TimedOut",
	} {
		w := newWard(t)
		w.app("a", state.LookupStatic, "a1@127.0.0.2")
		w.node("a1@127.0.0.2", "27").Refuse(cause)
		f := w.examine("a")[Handshake]
		if f.Level != Failure || f.Reason != word || f.Fix == "" || strings.Contains(f.Fix, "SIGSTOP") != (word == "TimedOut") {
			t.Errorf("%v: %+v", cause, f)
		}
	}
}

func TestADoctorStopsWithItsContext(t *testing.T) {
	w := newWard(t)
	w.app("a", state.LookupHost, "a.internal")
	w.dns.Fail("a.internal", zone.Silence)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	n, told := 0, false
	Examine(ctx, World{Spec: w.spec, Lookup: func(string) (string, bool) { return "", false }, Now: time.Now}, "", func(f Finding) {
		if n++; f.Check == Complete && f.Level == Failure {
			told = true
		}
	})
	if n < 2 || !told {
		t.Errorf("%d findings; that it is not complete is told: %v", n, told)
	}
}
