package discover

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"ehc/state"
)

// Machine is one of Fly's.
type Machine struct {
	ID     string
	Region string // "" if the answer does not tell
}

// Machines is an app's machines on Fly, each list ordered by id. A machine is in
// one of them.
type Machines struct {
	Started []Machine
	Stopped []Machine     // deployed, and not started
	TTL     time.Duration // the least of the records'; 0 if there are none
}

// word is what an id or a region is made of. People are shown both.
var word = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// showStopped is how many stopped machines are told by name.
const showStopped = 8

// Machines asks Fly's resolver for the machines of app, by two TXT names side by
// side: vms.APP.internal has those that are started, all.vms.APP.internal those
// that are deployed. If either question fails, so does it. An app that does not
// exist has none.
//
// A record is "ID REGION,ID REGION": a space may follow the comma, and what
// follows the region is passed over.
func (r *Resolver) Machines(ctx context.Context, app string) (Machines, error) {
	var lists [2]map[Machine]bool
	var ttls [2]time.Duration
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range []string{"vms." + app + ".internal", "all.vms." + app + ".internal"} {
		group.Go(func() (err error) { lists[i], ttls[i], err = r.machines(ctx, name); return })
	}
	if err := group.Wait(); err != nil {
		return Machines{}, err
	}
	started, deployed := lists[0], lists[1]
	maps.DeleteFunc(deployed, func(m Machine, _ bool) bool { return started[m] })
	if n := len(started) + len(deployed); n > MaxAddrs {
		return Machines{}, tooMany("machines", n, MaxAddrs)
	}
	return Machines{Started: ordered(started), Stopped: ordered(deployed), TTL: least(ttls[0], ttls[1])}, nil
}

// machines are those of one name.
func (r *Resolver) machines(ctx context.Context, name string) (map[Machine]bool, time.Duration, error) {
	found, err := r.records(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, 0, err
	}
	list := map[Machine]bool{}
	for _, rr := range found.records {
		// A record's strings are cut at 255 bytes, wherever that is.
		for part := range strings.SplitSeq(strings.Join(rr.(*dns.TXT).Txt, ""), ",") {
			words := append(strings.Fields(part), "", "")
			m := Machine{ID: words[0], Region: words[1]}
			switch {
			case m.ID == "":
			case !word.MatchString(m.ID), m.Region != "" && !word.MatchString(m.Region):
				return nil, 0, fmt.Errorf("answer for %s lists what is no machine: %q", name, part)
			default:
				list[m] = true
			}
		}
	}
	return list, found.ttl, nil
}

func ordered(list map[Machine]bool) []Machine {
	return slices.SortedFunc(maps.Keys(list), func(a, b Machine) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Region, b.Region))
	})
}

// flyPlaces are the addresses of app's started machines, and what there is to tell
// of all of them. If one of the questions fails there is no answer.
func flyPlaces(ctx context.Context, r *Resolver, app string) ([]place, state.Machines, error) {
	host := app + ".internal"
	var at Addresses
	var machines Machines
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { at, err = r.Host(ctx, host); return })
	group.Go(func() (err error) { machines, err = r.Machines(ctx, app); return })
	if err := group.Wait(); err != nil {
		return nil, state.Machines{}, err
	}
	return placesOf(Target{Host: host, Addrs: at.Addrs}), state.Machines{
		Deployed: len(machines.Started) + len(machines.Stopped), Stopped: len(machines.Stopped), Which: which(machines.Stopped),
	}, nil
}

// which names machines for people.
func which(stopped []Machine) string {
	var names []string
	for _, m := range stopped[:min(len(stopped), showStopped)] {
		name := m.ID
		if m.Region != "" {
			name += " in " + m.Region
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if more := len(stopped) - len(names); more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
