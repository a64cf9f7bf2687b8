package discover

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ehc/controller/discover/zone"
	"ehc/transport/transporttest/port"
)

var byValue = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

func TestHost(t *testing.T) {
	v6, v4 := addrs("fdaa::2", "fdaa::1"), addrs("10.0.0.1")
	cases := []struct {
		name  string
		ask   string // "app.internal" if empty
		setup func(*zone.Server)
		want  []netip.Addr
		fails string // SERVER stands for the server's address
	}{
		{name: "both families are put together in order", setup: func(s *zone.Server) { s.Set("app.internal", append(v6, v4...)...) },
			want: addrs("10.0.0.1", "fdaa::1", "fdaa::2")},
		{name: "case and the final dot do not matter", ask: "APP.Internal.", setup: func(s *zone.Server) { s.Set("app.INTERNAL", v4...) }, want: v4},
		{name: "a mapped address is an IPv4 address", setup: func(s *zone.Server) { s.Set("app.internal", addrs("::ffff:10.0.0.1", "10.0.0.1")...) }, want: v4},
		{name: "an address stands for itself", ask: "fdaa::7", want: addrs("fdaa::7")},
		{name: "a name that does not exist is an empty answer", fails: ""},
		{name: "a name without addresses is an empty answer", setup: func(s *zone.Server) { s.SetTXT("app.internal", "x") }},
		{name: "a name above others is an empty answer", setup: func(s *zone.Server) { s.Set("a.app.internal", v4...) }},
		{name: "NXDOMAIN for a name that has addresses is an empty answer", setup: fail(zone.NXDomain)},
		{name: "NODATA for a name that has addresses is an empty answer", setup: fail(zone.NoData)},
		{name: "SERVFAIL is a failure", setup: fail(zone.ServFail), fails: "SERVFAIL from SERVER"},
		{name: "REFUSED is a failure", setup: fail(zone.Refused), fails: "REFUSED from SERVER"},
		{name: "garbage is a failure", setup: fail(zone.Garbage), fails: "garbage from SERVER"},
		{name: "a referral is a failure", setup: fail(zone.Referral), fails: "referral from SERVER, which does not resolve for us"},
		{name: "silence is a failure", setup: fail(zone.Silence), fails: "no answer from SERVER within 200ms"},
		{name: "an answer under another id is a failure", setup: fail(zone.WrongID), fails: "no answer from SERVER, only answers to other questions"},
		{name: "an answer to another question is a failure", setup: fail(zone.WrongQuestion), fails: "no answer from SERVER, only answers to other questions"},
		{name: "a truncated answer is completed over TCP", setup: fail(zone.Truncate), want: addrs("10.0.0.1", "fdaa::1", "fdaa::2")},
		{name: "a truncated answer that TCP does not complete is a failure", setup: fail(zone.TruncateClosed),
			fails: "truncated answer from SERVER; over TCP: no answer from SERVER: connection closed"},
		{name: "a server that knows no EDNS0 is asked without", setup: fail(zone.NoEDNS), want: addrs("10.0.0.1", "fdaa::1", "fdaa::2")},
		{name: "addresses without AAAA answered are a failure", setup: failType("AAAA", zone.ServFail), fails: "SERVFAIL from SERVER"},
		{name: "addresses without A answered are a failure", setup: failType("A", zone.Refused), fails: "REFUSED from SERVER"},
		{name: "an empty AAAA answer leaves those of A", setup: failType("AAAA", zone.NoData), want: v4},
		{name: "aliases are followed", setup: alias("app.internal", "b.internal", "c.internal"), want: v4},
		{name: "aliases are asked for where the answer ends", setup: func(s *zone.Server) {
			alias("app.internal", "b.internal", "c.internal")(s)
			s.Fail("app.internal", zone.FirstAlias)
			s.Fail("b.internal", zone.FirstAlias)
		}, want: v4},
		{name: "an alias of nothing is an empty answer", setup: func(s *zone.Server) { s.SetAlias("app.internal", "gone.internal") }},
		{name: "an alias whose end cannot be asked is a failure", setup: func(s *zone.Server) {
			alias("app.internal", "b.internal")(s)
			s.Fail("app.internal", zone.FirstAlias)
			s.Fail("b.internal", zone.ServFail)
		}, fails: "SERVFAIL from SERVER"},
		{name: "aliases in a circle are a failure", setup: func(s *zone.Server) {
			s.SetAlias("app.internal", "b.internal")
			s.SetAlias("b.internal", "app.internal")
		}, fails: "too many aliases behind app.internal."},
		{name: "aliases without end are a failure", setup: func(s *zone.Server) {
			s.SetAlias("app.internal", "b.internal")
			s.SetAlias("b.internal", "app.internal")
			s.Fail("app.internal", zone.FirstAlias)
			s.Fail("b.internal", zone.FirstAlias)
		}, fails: "too many aliases behind app.internal"},
		{name: "what is no name is a failure", ask: "a..b", fails: `"a..b" is not a domain name`},
		{name: "more addresses than the limit are a failure", setup: func(s *zone.Server) {
			s.Set("app.internal", append(many("fdaa::", 2100), many("10.0.0.0", 2100)...)...)
		}, fails: "too many addresses: 4200, at most 4096"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.Set("other.internal", addrs("10.9.9.9")...)
			if c.setup != nil {
				c.setup(s)
			}
			r := &Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
			switch {
			case strings.HasSuffix(c.fails, "within 200ms"):
				r.Timeout = silence
			case strings.HasPrefix(c.fails, "no answer"):
				r.Timeout = 20 * silence // it must hear the strays
			}
			name := c.ask
			if name == "" {
				name = "app.internal"
			}
			got, err := r.Host(t.Context(), name)
			if want := strings.ReplaceAll(c.fails, "SERVER", s.Addr().String()); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got.Addrs, byValue); diff != "" {
				t.Error("addresses (-want +got):", diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// fail has app.internal, with addresses, answered as how says.
func fail(how zone.Fault) func(*zone.Server) {
	return func(s *zone.Server) {
		s.Set("app.internal", addrs("fdaa::2", "fdaa::1", "10.0.0.1")...)
		s.Fail("app.internal", how)
	}
}

func failType(rrtype string, how zone.Fault) func(*zone.Server) {
	return func(s *zone.Server) {
		fail(zone.None)(s)
		s.FailType("app.internal", rrtype, how)
	}
}

// alias makes each name an alias of the next, and gives the last an address.
func alias(names ...string) func(*zone.Server) {
	return func(s *zone.Server) {
		for i, name := range names[:len(names)-1] {
			s.SetAlias(name, names[i+1])
		}
		s.Set(names[len(names)-1], addrs("10.0.0.1")...)
	}
}

func TestHostGivesTheShortestTTL(t *testing.T) {
	s := serve(t)
	s.Set("app.internal", addrs("fdaa::1")...)
	got, err := (&Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}).Host(t.Context(), "app.internal")
	if err != nil || got.TTL != 5*time.Second {
		t.Fatalf("TTL %s, error %v; want 5s", got.TTL, err)
	}
}

func TestHostOfTwoHundredAddressesGoesOverTCP(t *testing.T) {
	s := serve(t)
	want := many("fdaa::", 200)
	s.Set("app.internal", want...)
	got, err := (&Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}).Host(t.Context(), "app.internal")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Addrs, byValue); diff != "" {
		t.Error("addresses (-want +got):", diff)
	}
	// AAAA twice, once over each of UDP and TCP, and A once.
	if n := s.Asked("app.internal"); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestServersAreTriedInOrder(t *testing.T) {
	first, second := serve(t), serve(t)
	first.Set("app.internal", addrs("10.0.0.1")...)
	second.Set("app.internal", addrs("10.0.0.2")...)
	r := &Resolver{Servers: []netip.AddrPort{first.Addr(), second.Addr()}, Timeout: patience}
	host := func() ([]netip.Addr, string) {
		got, err := r.Host(t.Context(), "app.internal")
		return got.Addrs, text(err)
	}
	expect := func(what string, want []netip.Addr, why string) {
		t.Helper()
		got, err := host()
		if diff := cmp.Diff(want, got, byValue); diff != "" || err != why {
			t.Errorf("%s: error %q, addresses (-want +got): %s", what, err, diff)
		}
	}
	expect("both answer", addrs("10.0.0.1"), "")
	if n := second.Questions(); n != 0 {
		t.Errorf("the second server was asked %d times", n)
	}
	first.Fail("app.internal", zone.NXDomain)
	expect("an empty answer of the first counts", nil, "")
	first.Fail("app.internal", zone.ServFail)
	expect("the second stands in", addrs("10.0.0.2"), "")
	second.Fail("app.internal", zone.Refused)
	expect("both fail", nil, "SERVFAIL from "+first.Addr().String()+"; REFUSED from "+second.Addr().String())
}

func TestAServerThatIsNotThere(t *testing.T) {
	gone := netip.AddrPortFrom(loopback.Addr(), port.Free(t))
	_, err := (&Resolver{Servers: []netip.AddrPort{gone}, Timeout: patience}).Host(t.Context(), "app.internal")
	if want := "no answer from " + gone.String() + ": connection refused"; text(err) != want {
		t.Fatalf("error %q, want %q", text(err), want)
	}
}

func TestACancelledLookupSaysSo(t *testing.T) {
	s := serve(t)
	s.Fail("app.internal", zone.Silence)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(silence, cancel)
	_, err := (&Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}).Host(ctx, "app.internal")
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
}
