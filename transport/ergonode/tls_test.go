package ergonode_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// lines is where a node logs, a line at a time.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// logging has a node log all that it has to say into the lines.
func logging(o *ergonode.Options) lines {
	l := make(lines, 1000)
	o.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: l})
	return l
}

// next is the next line with these words.
func (l lines) next(t *testing.T, words string) string {
	t.Helper()
	ctx := within(t)
	for {
		select {
		case line := <-l:
			if strings.Contains(line, words) {
				return line
			}
		case <-ctx.Done():
			t.Fatalf("nobody logged %q", words)
		}
	}
}

func load(t testing.TB, f transporttest.TLSFiles) *ergonode.TLS {
	t.Helper()
	secrets, err := ergonode.LoadTLS(f.Cert, f.Key, f.CA)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// forgotten waits until a peer has noticed that we are gone.
func forgotten(t *testing.T, p *beam.Node, us string) {
	t.Helper()
	p.Await("lists:member('"+us+"', nodes(connected))", "false")
}

func TestTLSBothWays(t *testing.T) {
	for proto, host := range map[string]string{"inet_tls": "127.0.0.1", "inet6_tls": "::1"} {
		t.Run(proto, func(t *testing.T) {
			beam.Need(t)
			ca := transporttest.NewAuthority(t)
			us, addr := "ehc@"+host, netip.MustParseAddr(host)
			n := alone(t, func(o *ergonode.Options) {
				o.Name, o.Listen, o.TLS = us, addr, load(t, ca.Issue(host))
				o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: echo}
			})
			p := beam.Start(t, beam.Options{Name: "a@" + host, Cookie: "monster", EPMDPort: int(n.EPMDPort()),
				Address: addr, Args: ca.Issue(host).Arguments(t, proto)})

			c := dial(t, n, p.Name())
			if v, err := c.Call(within(t), "erlang", "nodes", atom("hidden")); err != nil || etf.Text(v) != "['"+us+"']" {
				t.Error(v, err)
			}
			long := strings.Repeat("0123456789abcdef", 1<<16) // of many records
			if v, err := c.Call(within(t), "erlang", "list_to_binary", etf.List{long, long}); err != nil {
				t.Error(err)
			} else if v != long+long {
				t.Error("a megabyte comes back as something else")
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			forgotten(t, p, us)

			if got := p.Eval("net_kernel:connect_node('" + us + "')"); got != "true" {
				t.Errorf("connect_node says %s", got)
			}
			call := "B = binary:copy(<<7>>, 1000000), erpc:call('" + us + "', m, f, [B]) =:= {ok, B}"
			if got := p.Eval(call); got != "true" {
				t.Errorf("a call of ours with a megabyte: %s", got)
			}
			if again := dial(t, n, p.Name()); !again.Peer().Accepted {
				t.Error("the peer's connection is not the one in use")
			}
			if said := strings.TrimSpace(p.Output()); said != "" {
				t.Errorf("the peer complains: %s", said)
			}
		})
	}
}

// An Erlang node renegotiates, or with TLS 1.3 changes the keys, after so and so many
// records: here very few of them.
func TestALongLivedTLSLinkStaysUp(t *testing.T) {
	beam.Need(t)
	ca := transporttest.NewAuthority(t)
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer, o.TLS = w, load(t, ca.Issue("127.0.0.1")) })
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: int(n.EPMDPort()),
		Args: ca.Issue("127.0.0.1").Arguments(t, "inet_tls", "{renegotiate_at, 100}")})
	c := dial(t, n, p.Name())
	for i := range 400 {
		if _, err := c.Call(within(t), "erlang", "node"); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	if diff := cmp.Diff([]string{"up a@127.0.0.1"}, w.heard()); diff != "" {
		t.Error(diff)
	}
}

// files makes what one side speaks TLS with; none at all is plain.
type files func(ca, other *transporttest.Authority) transporttest.TLSFiles

func good(ca, _ *transporttest.Authority) transporttest.TLSFiles { return ca.Issue("127.0.0.1") }

func plain(_, _ *transporttest.Authority) transporttest.TLSFiles { return transporttest.TLSFiles{} }

// foreign is signed by another CA, and trusts ours.
func foreign(ca, other *transporttest.Authority) transporttest.TLSFiles {
	return other.Issue("127.0.0.1").Trusting(ca)
}

// credulous is signed by our CA, and trusts the other one only.
func credulous(ca, other *transporttest.Authority) transporttest.TLSFiles {
	return ca.Issue("127.0.0.1").Trusting(other)
}

func elsewhere(ca, _ *transporttest.Authority) transporttest.TLSFiles {
	return ca.Issue("127.0.0.2", "x.internal")
}

func TestWhomTLSRefuses(t *testing.T) {
	e := beam.EPMD(t)
	ca, other := transporttest.NewAuthority(t), transporttest.NewAuthority(t)
	for name, c := range map[string]struct {
		ours, theirs files
		dialled      string // what our dial says; empty: it goes well
		accepted     string // what we log when the peer dials us; empty: it is let in
	}{
		"the peer's certificate is another CA's": {good, foreign,
			"the certificate of the peer is not signed by our CA", "TLSRefused"},
		"the peer does not know our CA": {good, credulous,
			"the peer refused our certificate", "the peer refused our certificate"},
		"the peer's certificate is for another host, which counts only if we dial": {good, elsewhere,
			"the certificate of the peer is for another host: x509: certificate is valid for 127.0.0.2, not 127.0.0.1", ""},
		"our certificate is for another host, which counts only if the peer dials": {elsewhere, good,
			"", "the peer refused our certificate"},
		"the peer is plain": {good, plain,
			"the peer does not speak TLS", "the peer does not speak TLS"},
		"we are plain": {plain, good,
			"the port speaks TLS and answers our plain handshake with an alert", "the peer speaks TLS, and we do not"},
	} {
		t.Run(name, func(t *testing.T) {
			// A plain node waits for the rest of what it takes for a message, as long as
			// we wait for it; here it gives up first.
			args := []string{"-kernel", "net_setuptime", "2"}
			if f := c.theirs(ca, other); f.Cert != "" {
				args = f.Arguments(t, "inet_tls")
			}
			p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e, Args: args})
			var log lines
			n := start(t, e, func(o *ergonode.Options) {
				log = logging(o)
				if f := c.ours(ca, other); f.Cert != "" {
					o.TLS = load(t, f)
				}
			})
			conn, err := n.Dial(within(t), transport.Target{Node: p.Name()})
			switch {
			case c.dialled == "" && err != nil:
				t.Errorf("the dial: %v", err)
			case c.dialled == "":
				_ = conn.Close()
				forgotten(t, p, n.Name())
			case !errors.Is(err, transport.ErrTLS) || transport.Reason(err) != "TLSRefused" || !strings.Contains(err.Error(), c.dialled):
				t.Errorf("the dial: %v; want %q", err, c.dialled)
			}
			said := p.Eval("net_kernel:connect_node('ehc@127.0.0.1')")
			if want := map[bool]string{true: "true", false: "false"}[c.accepted == ""]; said != want {
				t.Errorf("connect_node says %s, want %s", said, want)
			}
			if c.accepted != "" {
				if line := log.next(t, "peer not let in"); !strings.Contains(line, c.accepted) || !strings.Contains(line, "TLSRefused") {
					t.Errorf("we log %s; want %q", line, c.accepted)
				}
			}
		})
	}
}
