package discover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/discover/zone"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
)

// listing is what the EPMDs of a test say; an address that is not in it has none.
type listing map[string][]string

func (l listing) names(_ context.Context, at netip.AddrPort) ([]epmd.Entry, error) {
	names, ok := l[at.Addr().String()]
	if !ok {
		return nil, fmt.Errorf("names of %s: %w: %w", at, transport.ErrUnreachable, syscall.ECONNREFUSED)
	}
	var out []epmd.Entry
	for i, name := range names {
		out = append(out, epmd.Entry{Name: name, Port: uint16(9000 + i)})
	}
	return out, nil
}

func nodeAt(node, addr string, port uint16) state.Found {
	f := state.Found{Node: state.Node(node), Port: port}
	if addr != "" {
		f.Addr = netip.MustParseAddr(addr)
	}
	return f
}

func TestFind(t *testing.T) {
	host := state.Lookup{Text: "app.internal", Target: "App.Internal."}
	srv := state.Lookup{Text: "srv:_dist.app", Kind: state.LookupSRV, Target: "_dist.app"}
	static := state.Lookup{Text: "static:a@b", Kind: state.LookupStatic, Target: "a@b"}
	cases := []struct {
		name   string
		app    state.App
		lookup state.Lookup
		epmds  listing
		want   state.Answer
		fails  string
	}{
		{name: "EPMD names every node at each address", lookup: host,
			epmds: listing{"10.0.0.1": {"blue", "green"}, "fdaa::1": {"blue"}},
			want: state.Answer{Found: []state.Found{
				nodeAt("blue@10.0.0.1", "10.0.0.1", 9000), nodeAt("blue@fdaa::1", "fdaa::1", 9000), nodeAt("green@10.0.0.1", "10.0.0.1", 9001)}}},
		{name: "the glob picks among the names", lookup: host, app: state.App{Match: "gr*"},
			epmds: listing{"10.0.0.1": {"blue", "green"}, "fdaa::1": {"blue"}},
			want:  state.Answer{Found: []state.Found{nodeAt("green@10.0.0.1", "10.0.0.1", 9001)}}},
		{name: "consoles, oddities and our own node are passed over", lookup: host,
			epmds: listing{"10.0.0.1": {"rem-3f2a-blue", "ehc", "a@b", "x\x1b[2J", "blue"}, "fdaa::1": {"rpc-00ff-blue"}},
			want:  state.Answer{Found: []state.Found{nodeAt("blue@10.0.0.1", "10.0.0.1", 9004)}}},
		{name: "an EPMD without a fitting name is an answer", lookup: host, app: state.App{Match: "red"},
			epmds: listing{"10.0.0.1": {"ehc", "rem-3f2a-blue"}, "fdaa::1": {"d", "b", "a", "c", "rem-3f2a-blue"}},
			want:  state.Answer{Barren: `EPMD at fdaa::1 lists "a", "b", "c", 1 more, and none fits match "red"; nor elsewhere, at 1 more`}},
		{name: "an EPMD without any other node is an answer", lookup: srv,
			epmds: listing{"10.0.1.1": {"rem-3f2a-blue"}}, want: state.Answer{Barren: "EPMD at 10.0.1.1 lists no node"}},
		{name: "an EPMD that cannot be asked leaves its address unasked", lookup: host,
			epmds: listing{"fdaa::1": {"blue"}},
			want: state.Answer{Found: []state.Found{nodeAt("blue@fdaa::1", "fdaa::1", 9000)}, Unasked: addrs("10.0.0.1"),
				Why: "EPMD at 10.0.0.1:4369 unreachable: connection refused"}},
		{name: "several that cannot be asked are counted", lookup: host, epmds: listing{},
			want: state.Answer{Unasked: addrs("10.0.0.1", "fdaa::1"), Why: "EPMD at 10.0.0.1:4369 unreachable: connection refused (and 1 more)"}},
		{name: "a template names each address, and nobody asks EPMD", lookup: host, app: state.App{Template: "phoenix@${ip}"},
			want: state.Answer{Found: []state.Found{nodeAt("phoenix@10.0.0.1", "10.0.0.1", 0), nodeAt("phoenix@fdaa::1", "fdaa::1", 0)}}},
		{name: "a template with the host is one node at several addresses", lookup: host, app: state.App{Template: "phoenix@${host}", Port: 4370},
			want: state.Answer{Found: []state.Found{nodeAt("phoenix@app.internal", "10.0.0.1", 4370), nodeAt("phoenix@app.internal", "fdaa::1", 4370)}}},
		{name: "a template over services names the targets", lookup: srv, app: state.App{Template: "n@${host}", Port: 4370},
			want: state.Answer{Found: []state.Found{nodeAt("n@t1.app", "10.0.1.1", 4370), nodeAt("n@t2.app", "10.0.1.1", 4370)}}},
		{name: "an address of two targets is asked once", lookup: srv, epmds: listing{"10.0.1.1": {"blue"}},
			want: state.Answer{Found: []state.Found{nodeAt("blue@10.0.1.1", "10.0.1.1", 9000)}}},
		{name: "a static node is itself", lookup: static, app: state.App{Port: 4370},
			want: state.Answer{Found: []state.Found{nodeAt("a@b", "", 4370)}}},
		{name: "a static node that is ours is not found", lookup: state.Lookup{Kind: state.LookupStatic, Target: "ehc@10.0.0.1"}},
		{name: "a template that makes no node is a failure", lookup: host, app: state.App{Template: "${ip}"}, fails: `node "10.0.0.1": want name@host`},
		{name: "a port without a template is a failure", lookup: host, app: state.App{Port: 4370}, fails: "port 4370 without EPMD needs a template for names"},
		{name: "a failed question is a failure", lookup: state.Lookup{Target: "bad.internal"}, fails: "SERVFAIL from SERVER"},
		{name: "a failed service is a failure", lookup: state.Lookup{Kind: state.LookupSRV, Target: "bad.internal"}, fails: "SERVFAIL from SERVER"},
		{name: "a kind that we do not know is a failure", lookup: state.Lookup{Text: "x:y", Kind: 99}, fails: `query "x:y": kind 99 is not one that is looked up`},
		{name: "nothing listed is an empty answer", lookup: state.Lookup{Target: "none.internal"}, want: state.Answer{Barren: "no address"}},
	}
	s := serve(t)
	s.Set("app.internal", addrs("fdaa::1", "10.0.0.1")...)
	s.SetSRV("_dist.app", zone.SRV{Target: "t1.app"}, zone.SRV{Target: "t2.app"})
	s.Set("t1.app", addrs("10.0.1.1")...)
	s.Set("t2.app", addrs("10.0.1.1")...)
	s.Fail("bad.internal", zone.ServFail)
	dns := state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &Finder{Self: "ehc@10.0.0.1", Names: c.epmds.names}
			if c.app.Template != "" {
				f.Names = nil // would ask real ones
			}
			got, err := f.Find(t.Context(), dns, c.app, c.lookup)
			if want := serverIs(c.fails, s.Addr()); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got, byValue); diff != "" {
				t.Error("answer (-want +got):", diff)
			}
		})
	}
}

func TestFindWordsWhatIsWrongWithAnEPMD(t *testing.T) {
	s := serve(t)
	s.Set("app.internal", addrs("10.0.0.1")...)
	dns := state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
	cases := map[string]error{
		"what answers at 10.0.0.1:5000 is not EPMD":              transport.ErrProtocol,
		"EPMD at 10.0.0.1:5000 unreachable: no answer within 3s": transport.ErrTimeout,
		"EPMD at 10.0.0.1:5000 unreachable: no route to host":    fmt.Errorf("dial: %w", syscall.EHOSTUNREACH),
		"EPMD at 10.0.0.1:5000 unreachable":                      errors.New("read 10.0.0.9:51234: some cause that differs"),
	}
	for want, err := range cases {
		f := &Finder{EPMDPort: 5000, Names: func(context.Context, netip.AddrPort) ([]epmd.Entry, error) { return nil, err }}
		got, err := f.Find(t.Context(), dns, state.App{}, state.Lookup{Target: "app.internal"})
		if err != nil || got.Why != want || len(got.Unasked) != 1 {
			t.Errorf("why %q, unasked %v, error %v; want %q", got.Why, got.Unasked, err, want)
		}
	}
}

func TestFindThatIsCalledOffBlamesNoEPMD(t *testing.T) {
	s := serve(t)
	s.Set("app.internal", addrs("10.0.0.1")...)
	ctx, cancel := context.WithCancel(t.Context())
	f := &Finder{Names: func(ctx context.Context, _ netip.AddrPort) ([]epmd.Entry, error) {
		cancel()
		return nil, ctx.Err()
	}}
	got, err := f.Find(ctx, state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}}, state.App{}, state.Lookup{Target: "app.internal"})
	if !errors.Is(err, context.Canceled) || len(got.Unasked) > 0 {
		t.Fatalf("answer %+v, error %v; want %v alone", got, err, context.Canceled)
	}
}

func TestFindBoundsWhatItAsksAtOnceAndFinds(t *testing.T) {
	s := serve(t)
	s.Set("app.internal", many("fdaa::", 2*epmdAtOnce)...)
	var now, most atomic.Int64
	full := make(chan struct{})
	names := make([]string, 40)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i)
	}
	f := &Finder{Names: func(_ context.Context, at netip.AddrPort) ([]epmd.Entry, error) {
		n := now.Add(1)
		defer now.Add(-1)
		if n == epmdAtOnce && most.CompareAndSwap(0, n) {
			close(full)
		}
		<-full // all that may be asked at once are
		if n > epmdAtOnce {
			t.Errorf("%d asked at once", n)
		}
		return listing{at.Addr().String(): names}.names(t.Context(), at)
	}}
	_, err := f.Find(t.Context(), state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}, state.App{}, state.Lookup{Target: "app.internal"})
	if err == nil || !strings.HasPrefix(err.Error(), "too many nodes: 10240,") {
		t.Fatalf("error %v, want too many nodes", err)
	}
}
