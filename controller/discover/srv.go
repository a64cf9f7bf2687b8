package discover

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

// Target is one machine that a service runs on.
type Target struct {
	Host  string // lower case, without the final dot
	Addrs []netip.Addr
}

// Service is what an SRV name stands for.
type Service struct {
	Targets []Target      // ordered by Host, each once
	TTL     time.Duration // the least of the records'; 0 if there are none
}

// SRV returns the targets of a service and their addresses. Those that came
// with the answer are used, the others are asked for side by side: a target of
// which only IPv4 came is still asked for IPv6, since an additional section
// need not be complete. If one question fails, the lookup has; a target
// without addresses is an answer. Ports, priorities and weights are passed
// over: the port of a service is seldom that of Erlang's distribution.
func (r *Resolver) SRV(ctx context.Context, name string) (Service, error) {
	found, err := r.records(ctx, name, dns.TypeSRV)
	if err != nil {
		return Service{}, err
	}
	hosts := map[string]bool{}
	for _, rr := range found.records {
		// The root as a target says that there is no such service (RFC 2782).
		if host := dns.CanonicalName(rr.(*dns.SRV).Target); host != "." {
			hosts[host] = true
		}
	}
	if len(hosts) > MaxTargets {
		return Service{}, tooMany("targets", len(hosts), MaxTargets)
	}
	order := slices.Sorted(maps.Keys(hosts))
	answers := make([]Addresses, len(order))
	var total atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for i, host := range order {
		group.Go(func() (err error) {
			answers[i], err = r.target(ctx, host, found.extra)
			if n := total.Add(int64(len(answers[i].Addrs))); err == nil && n > MaxAddrs {
				err = tooMany("addresses", int(n), MaxAddrs)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Service{}, err
	}
	service := Service{TTL: found.ttl}
	for i, host := range order {
		service.Targets = append(service.Targets, Target{Host: strings.TrimSuffix(host, "."), Addrs: answers[i].Addrs})
		service.TTL = least(service.TTL, answers[i].TTL)
	}
	return service, nil
}

// target returns the addresses of host, of each family those that came along
// as extra, or else those that it asks for.
func (r *Resolver) target(ctx context.Context, host string, extra []dns.RR) (Addresses, error) {
	var families [2]Addresses
	group, ctx := errgroup.WithContext(ctx)
	for i, typ := range []uint16{dns.TypeAAAA, dns.TypeA} {
		if came := owned(extra, host, typ); len(came) > 0 {
			families[i] = Addresses{Addrs: addrsOf(came), TTL: shortestTTL(came)}
			continue
		}
		group.Go(func() (err error) { families[i], err = r.addresses(ctx, host, typ); return })
	}
	if err := group.Wait(); err != nil {
		return Addresses{}, err
	}
	return merge(families[:]...)
}
