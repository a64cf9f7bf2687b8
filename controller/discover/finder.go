package discover

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"ehc/state"
	"ehc/transport/epmd"
)

// Finder finds the nodes that a query stands for. Find is safe to call at once;
// the fields must not change once it has been called.
type Finder struct {
	Self        state.Node    // never found, whatever lists it
	EPMDPort    uint16        // where EPMD listens on every machine; 0: 4369
	EPMDTimeout time.Duration // for one address; 0: 3s
	// Names asks the EPMD at an address; nil: epmd.Names.
	Names func(ctx context.Context, at netip.AddrPort) ([]epmd.Entry, error)
	// Observer hears of every question; nil is nobody.
	Observer Observer

	once   sync.Once
	system *system
}

// place is an address, and the name under which it was found.
type place struct {
	host string // lower case, without the final dot; the address if it has no name
	addr netip.Addr
}

// Find looks lookup, which is one of app's queries, up once.
//
//	kind    app has   found is
//	static  any       the node itself, without an address
//	host    template  the template filled in, for each address
//	srv     template  the same, for each address of each target
//	fly     template  as for host, of the name APP.internal
//	any     match     what EPMD lists at each address and the glob fits
//
// For fly, the answer tells of the app's machines, too. Those that are stopped have
// no address, so that they are neither found nor asked.
//
// A node that turns up at several addresses is found at each. In names from
// EPMD, release consoles are passed over. An address at which no EPMD
// could be asked is in Unasked; one whose EPMD lists nothing that fits is not.
//
// The error says why there is no answer, in words that are the same each time
// for the same cause; it is ctx's error if ctx ended first.
func (f *Finder) Find(ctx context.Context, dns state.DNSSpec, app state.App, lookup state.Lookup) (state.Answer, error) {
	if lookup.Kind == state.LookupStatic {
		return f.answer([]state.Found{{Node: state.Node(lookup.Target), Port: app.Port}})
	}
	if app.Port != 0 && app.Template == "" {
		return state.Answer{}, fmt.Errorf("port %d without EPMD needs a template for names", app.Port)
	}
	places, machines, err := f.places(ctx, dns, lookup)
	if err != nil {
		return state.Answer{}, err
	}
	answer, err := f.nodes(ctx, app, places)
	if err != nil {
		return state.Answer{}, err
	}
	answer.Machines = machines
	if len(places) == 0 {
		answer.Barren = "no address"
	}
	return answer, nil
}

// nodes finds app's nodes at these places.
func (f *Finder) nodes(ctx context.Context, app state.App, places []place) (state.Answer, error) {
	if app.Template == "" {
		return f.ask(ctx, places, cmp.Or(app.Match, "*"))
	}
	found := make([]state.Found, 0, len(places))
	for _, at := range places {
		node, err := Fill(app.Template, at.host, at.addr)
		if err != nil {
			return state.Answer{}, err
		}
		found = append(found, state.Found{Node: node, Addr: at.addr, Port: app.Port})
	}
	return f.answer(found)
}

// places asks DNS.
func (f *Finder) places(ctx context.Context, dns state.DNSSpec, lookup state.Lookup) ([]place, state.Machines, error) {
	f.once.Do(func() { f.system = &system{} })
	r := &Resolver{Servers: dns.Servers, Timeout: dns.Timeout, Observer: f.Observer, system: f.system}
	host := strings.ToLower(strings.TrimSuffix(lookup.Target, "."))
	switch lookup.Kind {
	case state.LookupHost:
		got, err := r.Host(ctx, host)
		return placesOf(Target{Host: host, Addrs: got.Addrs}), state.Machines{}, err
	case state.LookupSRV:
		got, err := r.SRV(ctx, host)
		return placesOf(got.Targets...), state.Machines{}, err
	case state.LookupFly:
		return flyPlaces(ctx, r, host)
	}
	return nil, state.Machines{}, fmt.Errorf("query %q: kind %d is not one that is looked up", lookup.Text, lookup.Kind)
}

// placesOf are the addresses of targets.
func placesOf(targets ...Target) []place {
	var places []place
	for _, t := range targets {
		for _, addr := range t.Addrs {
			places = append(places, place{host: t.Host, addr: addr})
		}
	}
	return places
}

// answer puts found in order, each place of a node once and our own left out.
func (f *Finder) answer(found []state.Found) (state.Answer, error) {
	found = slices.DeleteFunc(found, func(n state.Found) bool { return n.Node == f.Self })
	slices.SortFunc(found, func(a, b state.Found) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), a.Addr.Compare(b.Addr), cmp.Compare(a.Port, b.Port))
	})
	found = slices.Compact(found)
	if len(found) > MaxNodes {
		return state.Answer{}, tooMany("nodes", len(found), MaxNodes)
	}
	return state.Answer{Found: found}, nil
}
