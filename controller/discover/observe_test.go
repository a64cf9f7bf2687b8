package discover

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/discover/zone"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/transporttest/port"
)

// ear keeps the outcomes that it hears.
type ear struct {
	mu   sync.Mutex
	dns  []string
	epmd []string
	bad  bool
}

func (e *ear) AskedDNS(outcome string, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dns, e.bad = append(e.dns, outcome), e.bad || took <= 0
}

func (e *ear) AskedEPMD(outcome string, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.epmd, e.bad = append(e.epmd, outcome), e.bad || took < 0
}

func TestTheOutcomeOfEveryQuestionIsHeard(t *testing.T) {
	for want, setup := range map[string]func(*zone.Server){
		Answered:  func(s *zone.Server) { s.Set("app.internal", addrs("10.0.0.1", "fdaa::1")...) },
		Empty:     fail(zone.NoData),
		NXDomain:  fail(zone.NXDomain),
		ServFail:  fail(zone.ServFail),
		Refused:   fail(zone.Refused),
		Referral:  fail(zone.Referral),
		Truncated: fail(zone.TruncateClosed),
		TimedOut:  fail(zone.Silence),
		Garbage:   fail(zone.Garbage),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.Set("app.internal", addrs("10.0.0.1", "fdaa::1")...)
			setup(s)
			var ear ear
			r := &Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience, Observer: &ear}
			if want == TimedOut {
				r.Timeout = silence
			}
			_, _ = r.addresses(t.Context(), "app.internal", 1)
			if d := cmp.Diff([]string{want}, ear.dns); d != "" || ear.bad {
				t.Errorf("heard %q, want %s", ear.dns, want)
			}
			if !slices.Contains(Outcomes(), want) {
				t.Errorf("%s is not among the outcomes", want)
			}
		})
	}
}

func TestNobodyAtAServerIsHeard(t *testing.T) {
	at := netip.AddrPortFrom(loopback.Addr(), port.Free(t))
	var ear ear
	r := &Resolver{Servers: []netip.AddrPort{at}, Timeout: patience, Observer: &ear}
	_, _ = r.addresses(t.Context(), "app.internal", 1)
	if d := cmp.Diff([]string{Unreachable}, ear.dns); d != "" {
		t.Error(d)
	}
}

func TestTheOutcomeAtEveryEPMDIsHeard(t *testing.T) {
	var ear ear
	f := &Finder{Observer: &ear, EPMDTimeout: 20 * time.Millisecond, Names: func(ctx context.Context, at netip.AddrPort) ([]epmd.Entry, error) {
		switch at.Addr().String() {
		case "10.0.0.1":
			return nil, nil
		case "10.0.0.2":
			return nil, transport.ErrProtocol
		case "10.0.0.3":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, transport.ErrUnreachable
	}}
	s := serve(t)
	s.Set("app.internal", addrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")...)
	_, err := f.Find(t.Context(), state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience},
		state.App{Name: "a", Match: "*"}, state.Lookup{Text: "app.internal", Kind: state.LookupHost, Target: "app.internal"})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ear.epmd)
	if d := cmp.Diff([]string{Answered, Garbage, TimedOut, Unreachable}, ear.epmd); d != "" {
		t.Error(d)
	}
}
