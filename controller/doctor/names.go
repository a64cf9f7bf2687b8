package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ehc/controller/discover"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
)

func (e *examination) epmdPort() uint16 {
	if e.Spec.Node.EPMDPort != 0 {
		return e.Spec.Node.EPMDPort
	}
	return epmd.DefaultPort
}

// place is an address and the name that it was found under.
type place struct {
	host string
	addr netip.Addr
}

// query examines one query, as far as the nodes that it stands for.
func (p *patient) query(ctx context.Context, q state.Lookup) []state.Found {
	if q.Kind == state.LookupStatic {
		p.note(OK, Resolves, q.Text+": nobody has to be asked", "")
		return []state.Found{{Node: state.Node(q.Target), Port: p.app.Port}}
	}
	servers, err := p.servers()
	if err != nil {
		p.note(Failure, NameServers, err.Error(), `dns { servers = ["[fdaa::3]:53"] }`)
		return nil
	}
	places := p.resolve(ctx, q, servers)
	if len(places) > maxAddrs {
		p.note(Warning, Resolves, fmt.Sprintf("%s: %s; the first %d are tried", q.Text, many(len(places), "address"), maxAddrs), "ehc status shows all nodes")
		places = places[:maxAddrs]
	}
	p.sameNetwork(places)
	if p.app.Template != "" {
		return p.filled(places)
	}
	return p.listed(ctx, places)
}

// resolve asks every server by itself, so that one that fails shows, and returns
// what the first that answered said.
func (p *patient) resolve(ctx context.Context, q state.Lookup, servers []netip.AddrPort) []place {
	var places []place
	answered := false
	for _, server := range servers {
		began := time.Now()
		got, ttl, err := p.ask(ctx, p.resolver(server), q)
		took := time.Since(began).Round(time.Millisecond)
		switch {
		case err != nil:
			level := Failure
			if answered || server != servers[len(servers)-1] {
				level = Warning
			}
			p.note(level, Resolves, fmt.Sprintf("%s: %v", q.Text, err), "dig @"+server.Addr().String()+" -p "+fmt.Sprint(server.Port())+" AAAA "+dnsName(q))
			continue
		case len(got) == 0:
			fix := fmt.Sprintf("mend queries in peer %q, or start the app", p.app.Name)
			if q.Kind == state.LookupFly || p.onFly() {
				fix += ": fly status -a " + flyApp(q)
			}
			p.note(Warning, Resolves, fmt.Sprintf("%s: %s answers that there is nothing of this name", q.Text, server), fix)
		default:
			p.note(OK, Resolves, fmt.Sprintf("%s: %s from %s, TTL %s, after %s", q.Text, families(got), server, ttl, took), "")
		}
		if !answered {
			places, answered = got, true
			p.machines(ctx, p.resolver(server), q)
		}
	}
	return places
}

// ask asks one server, as the kind of query wants it.
func (p *patient) ask(ctx context.Context, r *discover.Resolver, q state.Lookup) (places []place, ttl time.Duration, err error) {
	if q.Kind == state.LookupSRV {
		service, err := r.SRV(ctx, q.Target)
		for _, t := range service.Targets {
			for _, a := range t.Addrs {
				places = append(places, place{t.Host, a})
			}
		}
		return places, service.TTL, err
	}
	name := dnsName(q)
	got, err := r.Host(ctx, name)
	for _, a := range got.Addrs {
		places = append(places, place{name, a})
	}
	return places, got.TTL, err
}

// dnsName is the name that a query looks up.
func dnsName(q state.Lookup) string {
	name := strings.ToLower(strings.TrimSuffix(q.Target, "."))
	if q.Kind == state.LookupFly {
		return name + ".internal"
	}
	return name
}

func families(places []place) string {
	six, four := 0, 0
	for _, at := range places {
		if at.addr.Is4() {
			four++
		} else {
			six++
		}
	}
	switch {
	case four == 0:
		return fmt.Sprintf("%d AAAA", six)
	case six == 0:
		return fmt.Sprintf("%d A", four)
	}
	return fmt.Sprintf("%d AAAA and %d A", six, four)
}

// filled makes the nodes by the template.
func (p *patient) filled(places []place) []state.Found {
	var found []state.Found
	for _, at := range places {
		n, err := discover.Fill(p.app.Template, at.host, at.addr)
		if err != nil {
			p.note(Failure, Names, err.Error(), `mend node in peer "`+p.app.Name+`"`)
			continue
		}
		found = append(found, state.Found{Node: n, Addr: at.addr, Port: p.app.Port})
	}
	if len(found) > 0 {
		p.note(OK, Names, fmt.Sprintf("%s by the template %q", many(len(found), "node"), p.app.Template), "")
	}
	return found
}

// listed asks the EPMD at every place for its names.
func (p *patient) listed(ctx context.Context, places []place) []state.Found {
	addrs := make([]netip.Addr, 0, len(places))
	for _, at := range places {
		addrs = append(addrs, at.addr)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	var mu sync.Mutex
	var found []state.Found
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, addr := range addrs {
		group.Go(func() error {
			got := p.namesAt(ctx, addr)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, got...)
			return nil
		})
	}
	_ = group.Wait()
	slices.SortFunc(found, func(a, b state.Found) int { return strings.Compare(string(a.Node), string(b.Node)) })
	return found
}

func (p *patient) namesAt(ctx context.Context, addr netip.Addr) []state.Found {
	limit, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	at := netip.AddrPortFrom(addr, p.epmdPort())
	entries, err := p.Names(limit, at)
	if err != nil {
		message, fix := fmt.Sprintf("%s: no EPMD answers: %s", at, plain(err)), "on that machine: epmd -names; is the node started with a name, and with -proto_dist inet6_tcp on IPv6?"
		if errors.Is(err, transport.ErrProtocol) {
			message, fix = fmt.Sprintf("%s: what answers there is no EPMD", at), "node { epmd_port }, or what else listens there"
		}
		p.note(Failure, EPMD, message, fix)
		return nil
	}
	p.note(OK, EPMD, fmt.Sprintf("%s lists %s", at, many(len(entries), "name")), "")
	var found []state.Found
	var fit, others []string
	for _, e := range entries {
		node, why := discover.Judge(p.app.Match, e.Name, addr)
		switch {
		case node == p.Spec.Node.Name:
			others = append(others, fmt.Sprintf("%q is ehc itself", e.Name))
		case why != "":
			others = append(others, fmt.Sprintf("%q %s", e.Name, why))
		default:
			found, fit = append(found, state.Found{Node: node, Addr: addr, Port: e.Port}), append(fit, e.Name)
		}
	}
	message := fmt.Sprintf("%s: fits %s", addr, orNone(fit))
	if len(others) > 0 {
		message += "; passed over: " + strings.Join(others, ", ")
	}
	if len(fit) == 0 {
		p.note(Warning, Names, message, fmt.Sprintf("match in peer %q is %q: give one that fits the names (RELEASE_NODE in rel/env.sh.eex), or start the node", p.app.Name, orStar(p.app.Match)))
		return nil
	}
	p.note(OK, Names, message, "")
	return found
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func orStar(match string) string {
	if match == "" {
		return "*"
	}
	return match
}

// plain is an error without the words around its cause, such as an address.
func plain(err error) string {
	if cause := transport.Cause(err); cause != nil {
		return cause.Error()
	}
	return err.Error()
}
