package zone

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, at string) *Server {
	t.Helper()
	s, err := Serve(t.Context(), netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask asks s with a stock client; edns is the size that it takes over UDP, 0
// for a client from before EDNS0.
func ask(t *testing.T, s *Server, network, name string, typ, edns uint16, timeout time.Duration) (*dns.Msg, error) {
	t.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), typ)
	if edns > 0 {
		m.SetEdns0(edns, false)
	}
	client := &dns.Client{Net: network, Timeout: timeout}
	got, _, err := client.ExchangeContext(t.Context(), m, s.Addr().String())
	return got, err
}

const patience = 5 * time.Minute

// lines are records in the text of a zone file, sorted, without the TTL that
// all share.
func lines(rrs []dns.RR) []string {
	var out []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, strings.Join(strings.Fields(strings.Replace(rr.String(), "\t5\tIN\t", " ", 1)), " "))
		}
	}
	slices.Sort(out)
	return out
}

func TestAnswers(t *testing.T) {
	s := serve(t, "127.0.0.1:0")
	one, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fdaa::1")
	s.Set("App.Internal", one, six)
	s.SetTXT("vms.app.internal", "683d314fdd4d68 yyz,568323e9b54dd8 lhr", strings.Repeat("x", 300))
	s.SetSRV("_dist._tcp.app", SRV{Target: "app.internal", Port: 4370}, SRV{Target: "elsewhere.org", Port: 1})
	s.SetAlias("www", "alias.internal")
	s.SetAlias("alias.internal", "app.internal")
	s.Set("void")
	s.Set("deep.below.internal", one)
	s.Set("gone", one)
	s.Clear("GONE.")
	long := `vms.app.internal. TXT "` + strings.Repeat("x", 255) + `" "` + strings.Repeat("x", 45) + `"`
	cases := []struct {
		name, ask string
		typ       uint16
		answer    []string
		extra     []string
		rcode     int
		authority bool
	}{
		{name: "A", ask: "app.internal", typ: dns.TypeA, answer: []string{"app.internal. A 10.0.0.1"}},
		{name: "AAAA", ask: "APP.internal", typ: dns.TypeAAAA, answer: []string{"app.internal. AAAA fdaa::1"}},
		{name: "TXT, long ones in pieces", ask: "vms.app.internal", typ: dns.TypeTXT,
			answer: []string{`vms.app.internal. TXT "683d314fdd4d68 yyz,568323e9b54dd8 lhr"`, long}},
		{name: "SRV with the addresses that are known", ask: "_dist._tcp.app", typ: dns.TypeSRV,
			answer: []string{"_dist._tcp.app. SRV 0 0 1 elsewhere.org.", "_dist._tcp.app. SRV 0 0 4370 app.internal."},
			extra:  []string{"app.internal. A 10.0.0.1", "app.internal. AAAA fdaa::1"}},
		{name: "the chain of aliases with its end", ask: "www", typ: dns.TypeA,
			answer: []string{"alias.internal. CNAME app.internal.", "app.internal. A 10.0.0.1", "www. CNAME alias.internal."}},
		{name: "an alias itself", ask: "www", typ: dns.TypeCNAME, answer: []string{"www. CNAME alias.internal."}},
		{name: "no such record", ask: "app.internal", typ: dns.TypeMX, authority: true},
		{name: "no record at all", ask: "void", typ: dns.TypeA, authority: true},
		{name: "a name above others", ask: "below.internal", typ: dns.TypeA, authority: true},
		{name: "no such name", ask: "none", typ: dns.TypeA, rcode: dns.RcodeNameError, authority: true},
		{name: "a name that was cleared", ask: "gone", typ: dns.TypeA, rcode: dns.RcodeNameError, authority: true},
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, c := range cases {
			t.Run(network+": "+c.name, func(t *testing.T) {
				got, err := ask(t, s, network, c.ask, c.typ, 1232, patience)
				if err != nil {
					t.Fatal(err)
				}
				if got.Rcode != c.rcode || got.Truncated || !got.Authoritative || (len(got.Ns) > 0) != c.authority {
					t.Errorf("unexpected header or authority: %s", got)
				}
				if diff := cmp.Diff(c.answer, lines(got.Answer)); diff != "" {
					t.Error("answer (-want +got):", diff)
				}
				if diff := cmp.Diff(c.extra, lines(got.Extra)); diff != "" {
					t.Error("extra (-want +got):", diff)
				}
			})
		}
	}
	if n := s.Asked("app.internal"); n != 6 {
		t.Errorf("asked for app.internal %d times, want 6", n)
	}
	if n := s.Questions(); n != 2*len(cases) {
		t.Errorf("%d questions, want %d", n, 2*len(cases))
	}
}

func TestAnAnswerIsCutToWhatTheAskerTakes(t *testing.T) {
	s := serve(t, "[::1]:0")
	var all []netip.Addr
	for at := netip.MustParseAddr("fdaa::"); len(all) < 200; at = at.Next() {
		all = append(all, at)
	}
	s.Set("app", all...)
	for edns, most := range map[uint16]int{0: 17, 1232: 42} {
		got, err := ask(t, s, "udp", "app", dns.TypeAAAA, edns, patience)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Answer); !got.Truncated || n == 0 || n > most {
			t.Errorf("EDNS0 size %d: %d records, truncated %v; want some, at most %d", edns, n, got.Truncated, most)
		}
	}
	got, err := ask(t, s, "tcp", "app", dns.TypeAAAA, 1232, patience)
	if err != nil || got.Truncated || len(got.Answer) != 200 {
		t.Fatalf("over TCP: %v, error %v", got, err)
	}
}

func TestFaults(t *testing.T) {
	const silence = 100 * time.Millisecond
	rcode := func(want int) func(*testing.T, *dns.Msg, error) {
		return func(t *testing.T, m *dns.Msg, err error) {
			if err != nil || m.Rcode != want || len(m.Answer) > 0 {
				t.Errorf("answer %v, error %v; want rcode %s and nothing else", m, err, dns.RcodeToString[want])
			}
		}
	}
	fails := func(want error) func(*testing.T, *dns.Msg, error) {
		return func(t *testing.T, m *dns.Msg, err error) {
			if !errors.Is(err, want) {
				t.Errorf("answer %v, error %v; want %v", m, err, want)
			}
		}
	}
	whole := func(t *testing.T, m *dns.Msg, err error) {
		if err != nil || m.Truncated || len(m.Answer) != 1 {
			t.Errorf("answer %v, error %v; want a whole one", m, err)
		}
	}
	cut := func(t *testing.T, m *dns.Msg, err error) {
		if err != nil || !m.Truncated || len(m.Answer) > 0 {
			t.Errorf("answer %v, error %v; want one cut short", m, err)
		}
	}
	cases := []struct {
		name     string
		how      Fault
		udp, tcp func(*testing.T, *dns.Msg, error)
		patience time.Duration
	}{
		{"none", None, whole, whole, patience},
		{"SERVFAIL", ServFail, rcode(dns.RcodeServerFailure), rcode(dns.RcodeServerFailure), patience},
		{"REFUSED", Refused, rcode(dns.RcodeRefused), rcode(dns.RcodeRefused), patience},
		{"NXDOMAIN", NXDomain, rcode(dns.RcodeNameError), rcode(dns.RcodeNameError), patience},
		{"NODATA", NoData, rcode(dns.RcodeSuccess), rcode(dns.RcodeSuccess), patience},
		{"referral", Referral, rcode(dns.RcodeSuccess), rcode(dns.RcodeSuccess), patience},
		{"no EDNS0", NoEDNS, rcode(dns.RcodeFormatError), rcode(dns.RcodeFormatError), patience},
		{"silence", Silence, fails(os.ErrDeadlineExceeded), fails(os.ErrDeadlineExceeded), silence},
		{"truncated", Truncate, cut, whole, patience},
		{"truncated, TCP closed", TruncateClosed, cut, fails(io.EOF), patience},
		{"another id", WrongID, fails(os.ErrDeadlineExceeded), fails(dns.ErrId), 10 * silence},
		{"garbage", Garbage, func(t *testing.T, m *dns.Msg, err error) {
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("answer %v, error %v; want one that cannot be read", m, err)
			}
		}, nil, patience},
		{"another question", WrongQuestion, func(t *testing.T, m *dns.Msg, err error) {
			if err != nil || m.Question[0].Name == "app." {
				t.Errorf("answer %v, error %v; want one to another question", m, err)
			}
		}, nil, patience},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, "127.0.0.1:0")
			s.Set("app", netip.MustParseAddr("10.0.0.1"))
			s.Fail("app", c.how)
			got, err := ask(t, s, "udp", "app", dns.TypeA, 1232, c.patience)
			c.udp(t, got, err)
			if c.tcp == nil {
				c.tcp = c.udp
			}
			most := patience // over TCP nothing but silence takes its time
			if c.how == Silence {
				most = silence
			}
			got, err = ask(t, s, "tcp", "app", dns.TypeA, 1232, most)
			c.tcp(t, got, err)
			s.Fail("app", None)
			got, err = ask(t, s, "udp", "app", dns.TypeA, 0, patience)
			whole(t, got, err)
		})
	}
}

func TestAFaultOfOneTypeComesFirst(t *testing.T) {
	s := serve(t, "127.0.0.1:0")
	s.Fail("app", Refused)
	s.FailType("app", "AAAA", ServFail)
	for typ, want := range map[uint16]int{dns.TypeA: dns.RcodeRefused, dns.TypeAAAA: dns.RcodeServerFailure} {
		if got, err := ask(t, s, "udp", "app", typ, 0, patience); err != nil || got.Rcode != want {
			t.Errorf("%s: answer %v, error %v", dns.TypeToString[typ], got, err)
		}
	}
	s.Clear("app")
	if got, err := ask(t, s, "udp", "app", dns.TypeAAAA, 0, patience); err != nil || got.Rcode != dns.RcodeNameError {
		t.Errorf("after Clear: answer %v, error %v", got, err)
	}
}

func TestItListensOnLoopbackOnly(t *testing.T) {
	for _, at := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		if s, err := Serve(t.Context(), netip.MustParseAddrPort(at)); err == nil {
			t.Errorf("listens on %s", at)
			s.Close()
		}
	}
}

func TestATakenPortIsAnError(t *testing.T) {
	s := serve(t, "127.0.0.1:0")
	if again, err := Serve(t.Context(), s.Addr()); err == nil {
		t.Error("two servers on one port")
		again.Close()
	}
}

func TestItClosesWithItsContextAndWhileAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Serve(ctx, netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	s.Fail("app", Silence)
	conn, err := net.Dial("tcp", s.Addr().String()) // an idle connection holds nothing up
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() { _, _ = ask(t, s, "udp", "app", dns.TypeA, 0, 100*time.Millisecond) })
	}
	cancel()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("closed again:", err)
	}
	asking.Wait()
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("still listening")
		c.Close()
	}
}
