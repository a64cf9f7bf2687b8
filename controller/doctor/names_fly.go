package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"ehc/controller/discover"
	"ehc/state"
)

// flyApp is the app on Fly of which a query speaks, as far as one can tell.
func flyApp(q state.Lookup) string {
	name := strings.TrimSuffix(dnsName(q), ".internal")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// machines tells those that are started from those that are only deployed.
func (p *patient) machines(ctx context.Context, r *discover.Resolver, q state.Lookup) {
	guess := q.Kind == state.LookupHost && p.onFly() && strings.HasSuffix(dnsName(q), ".internal")
	if q.Kind != state.LookupFly && !guess {
		return
	}
	app := flyApp(q)
	got, err := r.Machines(ctx, app)
	switch {
	case err != nil:
		p.note(Warning, Machines, fmt.Sprintf("vms.%s.internal: %v", app, err), "dig TXT all.vms."+app+".internal")
	case len(got.Started)+len(got.Stopped) == 0 && guess:
	case len(got.Started)+len(got.Stopped) == 0:
		p.note(Failure, Machines, fmt.Sprintf("Fly lists no machine of %s", app), "fly apps list: is it of the same organization? fly deploy -a "+app)
	case len(got.Stopped) > 0:
		var ids []string
		for _, m := range got.Stopped[:min(len(got.Stopped), 8)] {
			ids = append(ids, m.ID)
		}
		p.note(Warning, Machines, fmt.Sprintf("%d of %d machines are started; stopped: %s", len(got.Started), len(got.Started)+len(got.Stopped), strings.Join(ids, ", ")),
			"fly machine start "+ids[0]+" -a "+app+"; to keep it so: auto_stop_machines = \"off\" in its fly.toml")
	default:
		p.note(OK, Machines, fmt.Sprintf("%d of %d machines are started", len(got.Started), len(got.Started)), "")
	}
}

// sixPN is the network of an address of Fly's: fdaa and 32 bits.
func sixPN(a netip.Addr) (netip.Prefix, bool) {
	raw := a.As16()
	p, err := a.Prefix(48)
	return p, err == nil && a.Is6() && raw[0] == 0xfd && raw[1] == 0xaa
}

// sameNetwork finds addresses of another private network on Fly, which no packet
// reaches.
func (p *patient) sameNetwork(places []place) {
	host := p.getenv("FLY_PRIVATE_IP")
	if host == "" {
		host = p.Spec.Node.Name.Host()
	}
	own, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	ours, onSixPN := sixPN(own)
	if !onSixPN {
		return
	}
	var others []string
	checked := 0
	for _, at := range places {
		theirs, ok := sixPN(at.addr)
		if !ok {
			continue
		}
		if checked++; theirs != ours {
			others = append(others, at.addr.String())
		}
	}
	switch {
	case len(others) > 0:
		p.note(Failure, SameNetwork, fmt.Sprintf("%s not in ehc's network %s: %s", many(len(others), "address"), ours, strings.Join(others, ", ")),
			"run ehc in the app's organization and network: fly apps list; custom networks reach each other by Flycast alone")
	case checked > 0:
		p.note(OK, SameNetwork, fmt.Sprintf("%s of ehc's network %s", many(checked, "address"), ours), "")
	}
}
