package discover

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/discover/zone"
)

func serverIs(text string, server netip.AddrPort) string {
	return strings.ReplaceAll(text, "SERVER", server.String())
}

func TestSRV(t *testing.T) {
	two := func(s *zone.Server) {
		s.SetSRV("_dist._tcp.app", zone.SRV{Target: "B.app", Port: 4370}, zone.SRV{Target: "a.app", Port: 4370}, zone.SRV{Target: "a.app", Port: 4371})
		s.Set("a.app", addrs("fdaa::1", "10.0.0.1")...)
		s.Set("b.app", addrs("fdaa::2")...)
	}
	both := []Target{{Host: "a.app", Addrs: addrs("10.0.0.1", "fdaa::1")}, {Host: "b.app", Addrs: addrs("fdaa::2")}}
	cases := []struct {
		name  string
		setup func(*zone.Server)
		want  []Target
		asked map[string]int // how often the targets were asked for
		fails string
	}{
		{name: "addresses that come along are not asked for, families that do not are", setup: two, want: both,
			asked: map[string]int{"a.app": 0, "b.app": 1}},
		{name: "addresses that do not come along are asked for", want: both, asked: map[string]int{"a.app": 2, "b.app": 2},
			setup: func(s *zone.Server) { two(s); s.Fail("_dist._tcp.app", zone.NoAdditional) }},
		{name: "a target that does not exist has no addresses",
			setup: func(s *zone.Server) { two(s); s.Clear("a.app") },
			want:  []Target{{Host: "a.app"}, {Host: "b.app", Addrs: addrs("fdaa::2")}}, asked: map[string]int{"a.app": 2, "b.app": 1}},
		{name: "a target that is an alias is followed", want: []Target{{Host: "a.app", Addrs: addrs("10.0.0.1")}},
			setup: func(s *zone.Server) {
				s.SetSRV("_dist._tcp.app", zone.SRV{Target: "a.app"})
				alias("a.app", "b.app")(s)
			}},
		{name: "no service at all is an empty answer", setup: func(s *zone.Server) { s.SetSRV("_dist._tcp.app", zone.SRV{Target: "."}) }},
		{name: "a name that does not exist is an empty answer", setup: func(*zone.Server) {}},
		{name: "a service that cannot be asked is a failure", fails: "SERVFAIL from SERVER",
			setup: func(s *zone.Server) { two(s); s.Fail("_dist._tcp.app", zone.ServFail) }},
		{name: "one target that cannot be asked is a failure", fails: "REFUSED from SERVER",
			setup: func(s *zone.Server) { two(s); s.Fail("b.app", zone.Refused) }},
		{name: "more targets than the limit are a failure", fails: "too many targets: 1025, at most 1024",
			setup: func(s *zone.Server) { s.SetSRV("_dist._tcp.app", targets(1025)...) }},
		{name: "more addresses than the limit are a failure", fails: "too many addresses: 4200, at most 4096",
			setup: func(s *zone.Server) {
				s.SetSRV("_dist._tcp.app", targets(2)...)
				s.Set("t0.app", many("10.0.0.0", 2100)...)
				s.Set("t1.app", many("10.1.0.0", 2100)...)
				s.Fail("_dist._tcp.app", zone.NoAdditional)
			}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			c.setup(s)
			r := &Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
			got, err := r.SRV(t.Context(), "_dist._tcp.APP")
			if want := serverIs(c.fails, s.Addr()); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got.Targets, byValue); diff != "" {
				t.Error("targets (-want +got):", diff)
			}
			for name, want := range c.asked {
				if n := s.Asked(name); n != want {
					t.Errorf("%s was asked for %d times, want %d", name, n, want)
				}
			}
		})
	}
}

func targets(n int) []zone.SRV {
	out := make([]zone.SRV, n)
	for i := range out {
		out[i] = zone.SRV{Target: fmt.Sprintf("t%d.app", i)}
	}
	return out
}
