package discover

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/discover/zone"
	"ehc/state"
)

// flyApp has app "phoenix" with two machines started and one stopped.
func flyApp(s *zone.Server) {
	s.Set("phoenix.internal", addrs("fdaa:0:18::1", "fdaa:0:18::2")...)
	s.SetTXT("vms.phoenix.internal", "683d314fdd4d68 yyz,568323e9b54dd8 lhr")
	s.SetTXT("all.vms.phoenix.internal", "683d314fdd4d68 yyz, 148e45 ord, 568323e9b54dd8 lhr")
}

func TestMachines(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("%014d lhr", i))
	}
	cases := []struct {
		name  string
		setup func(*zone.Server)
		want  Machines
		fails string
	}{
		{name: "the deployed ones that are not started are stopped", setup: flyApp, want: Machines{
			Started: []Machine{{"568323e9b54dd8", "lhr"}, {"683d314fdd4d68", "yyz"}},
			Stopped: []Machine{{"148e45", "ord"}}}},
		{name: "an app that does not exist has none", setup: func(*zone.Server) {}},
		{name: "all of them are stopped", want: Machines{Stopped: []Machine{{"148e45", "ord"}}},
			setup: func(s *zone.Server) { s.SetTXT("all.vms.phoenix.internal", "148e45 ord") }},
		{name: "one that is started and not deployed yet is started", want: Machines{Started: []Machine{{"148e45", "ord"}}},
			setup: func(s *zone.Server) { s.SetTXT("vms.phoenix.internal", "148e45 ord") }},
		{name: "records, spaces and further words do not matter",
			want: Machines{Started: []Machine{{"a1", "lhr"}, {"b2", ""}, {"c3", "ord"}}},
			setup: func(s *zone.Server) {
				s.SetTXT("vms.phoenix.internal", " a1   lhr  started,", "b2", "c3 ord,c3 ord")
				s.SetTXT("all.vms.phoenix.internal", "")
			}},
		{name: "strings of one record are joined as they are cut, 255 bytes", setup: func(s *zone.Server) {
			s.SetTXT("vms.phoenix.internal", strings.Join(many, ","))
			s.SetTXT("all.vms.phoenix.internal", strings.Join(many, ", "))
		}, want: Machines{Started: machinesOf(many)}},
		{name: "what cannot be shown to people is no machine", fails: `answer for vms.phoenix.internal lists what is no machine: "a1 \\027[2J"`,
			setup: func(s *zone.Server) { s.SetTXT("vms.phoenix.internal", "a1 \x1b[2J") }},
		{name: "half an answer is none", fails: "SERVFAIL from SERVER",
			setup: func(s *zone.Server) { flyApp(s); s.Fail("all.vms.phoenix.internal", zone.ServFail) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			c.setup(s)
			got, err := (&Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}).Machines(t.Context(), "phoenix")
			if want := serverIs(c.fails, s.Addr()); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			got.TTL = 0
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("machines (-want +got):", diff)
			}
		})
	}
}

func machinesOf(texts []string) []Machine {
	var out []Machine
	for _, text := range texts {
		id, region, _ := strings.Cut(text, " ")
		out = append(out, Machine{id, region})
	}
	return out
}

func TestFindAsksFly(t *testing.T) {
	lookup := state.Lookup{Text: "fly:phoenix", Kind: state.LookupFly, Target: "phoenix"}
	byTemplate := state.App{Template: "phoenix@${ip}"}
	found := []state.Found{nodeAt("phoenix@fdaa:0:18::1", "fdaa:0:18::1", 0), nodeAt("phoenix@fdaa:0:18::2", "fdaa:0:18::2", 0)}
	cases := []struct {
		name  string
		app   state.App
		setup func(*zone.Server)
		epmds listing
		want  state.Answer
		fails string
	}{
		{name: "a stopped machine is told of and not found", app: byTemplate, setup: flyApp,
			want: state.Answer{Found: found, Machines: state.Machines{Deployed: 3, Stopped: 1, Which: "148e45 in ord"}}},
		{name: "EPMD names the nodes", setup: flyApp,
			epmds: listing{"fdaa:0:18::1": {"phoenix-01J"}},
			want: state.Answer{Found: []state.Found{nodeAt("phoenix-01J@fdaa:0:18::1", "fdaa:0:18::1", 9000)},
				Unasked: addrs("fdaa:0:18::2"), Why: "EPMD at [fdaa:0:18::2]:4369 unreachable: connection refused",
				Machines: state.Machines{Deployed: 3, Stopped: 1, Which: "148e45 in ord"}}},
		{name: "an app whose machines are all stopped is an empty answer", app: byTemplate,
			setup: func(s *zone.Server) {
				s.SetTXT("all.vms.phoenix.internal", "10 a,11 b,12 c,13 d,14 e,15 f,16 g,17 h,18 i,19")
			},
			want: state.Answer{Barren: "no address", Machines: state.Machines{Deployed: 10, Stopped: 10,
				Which: "10 in a, 11 in b, 12 in c, 13 in d, 14 in e, 15 in f, 16 in g, 17 in h (and 2 more)"}}},
		{name: "an app that does not exist is an empty answer", app: byTemplate, setup: func(*zone.Server) {}, want: state.Answer{Barren: "no address"}},
		{name: "no answer about the machines is a failure", app: byTemplate, fails: "REFUSED from SERVER",
			setup: func(s *zone.Server) { flyApp(s); s.Fail("vms.phoenix.internal", zone.Refused) }},
		{name: "no answer about the addresses is a failure", app: byTemplate, fails: "SERVFAIL from SERVER",
			setup: func(s *zone.Server) { flyApp(s); s.FailType("phoenix.internal", "AAAA", zone.ServFail) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t)
			c.setup(s)
			f := &Finder{Self: "ehc@10.0.0.1", Names: c.epmds.names}
			got, err := f.Find(t.Context(), state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}, c.app, lookup)
			if want := serverIs(c.fails, s.Addr()); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got, byValue); diff != "" {
				t.Error("answer (-want +got):", diff)
			}
		})
	}
}
