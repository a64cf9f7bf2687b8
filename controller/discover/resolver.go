package discover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

// Resolver asks name servers. The zero value asks the system's. Its methods are
// safe to call at once; its fields must not change once one has been called.
//
// The servers are tried in order, each for its equal share of the timeout; the
// first that gives an answer counts, and only when all have failed has the
// question. A name is taken as it stands, with or without a final dot, in any
// case: no search list is tried.
type Resolver struct {
	Servers []netip.AddrPort // empty: those of the system's /etc/resolv.conf
	Timeout time.Duration    // for one question, over all servers; 0: 2s

	// Observer hears of every question; nil is nobody.
	Observer Observer

	system *system // nil: read on every question
}

// Addresses is what a name stands for.
type Addresses struct {
	Addrs []netip.Addr  // sorted, each once, IPv4 never mapped into IPv6
	TTL   time.Duration // the least of the records'; 0 if there are none
}

// Host returns the addresses of name, AAAA and A, asked side by side. No
// address is an answer, but if either question fails there is none: half of
// the addresses would pass for all of them. An address in place of a name
// stands for itself, and nobody is asked.
func (r *Resolver) Host(ctx context.Context, name string) (Addresses, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return Addresses{Addrs: []netip.Addr{addr.Unmap()}}, nil
	}
	var six, four Addresses
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { six, err = r.addresses(ctx, name, dns.TypeAAAA); return })
	group.Go(func() (err error) { four, err = r.addresses(ctx, name, dns.TypeA); return })
	if err := group.Wait(); err != nil {
		return Addresses{}, err
	}
	return merge(six, four)
}

// merge puts answers about one name together.
func merge(parts ...Addresses) (Addresses, error) {
	var all Addresses
	for _, part := range parts {
		all.Addrs = append(all.Addrs, part.Addrs...)
		all.TTL = least(all.TTL, part.TTL)
	}
	slices.SortFunc(all.Addrs, netip.Addr.Compare)
	all.Addrs = slices.Compact(all.Addrs)
	if len(all.Addrs) > MaxAddrs {
		return Addresses{}, tooMany("addresses", len(all.Addrs), MaxAddrs)
	}
	return all, nil
}

// least is the smaller of two TTLs, of which 0 means that there is none.
func least(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func tooMany(what string, n, limit int) error {
	return fmt.Errorf("too many %s: %d, at most %d", what, n, limit)
}

// addresses asks for one type of address.
func (r *Resolver) addresses(ctx context.Context, name string, typ uint16) (Addresses, error) {
	found, err := r.records(ctx, name, typ)
	if err != nil {
		return Addresses{}, err
	}
	return Addresses{Addrs: addrsOf(found.records), TTL: found.ttl}, nil
}

// addrsOf picks the addresses out of records.
func addrsOf(records []dns.RR) []netip.Addr {
	var addrs []netip.Addr
	for _, rr := range records {
		var raw []byte
		switch rr := rr.(type) {
		case *dns.A:
			raw = rr.A
		case *dns.AAAA:
			raw = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(raw); ok {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// answer returns the first server's reply that is an answer.
func (r *Resolver) answer(ctx context.Context, name string, typ uint16) (*dns.Msg, error) {
	servers, err := r.servers()
	if err != nil {
		return nil, err
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	share := max(timeout/time.Duration(len(servers)), time.Millisecond).Truncate(time.Millisecond)
	var failures []string
	for _, server := range servers {
		began := time.Now()
		reply, err := exchange(ctx, server, name, typ, share)
		if err == nil {
			err = verdict(reply, server)
		}
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err() // called off: no outcome
		}
		if r.Observer != nil {
			r.Observer.AskedDNS(outcome(reply, err), time.Since(began))
		}
		if err == nil {
			return reply, nil
		}
		failures = append(failures, err.Error())
	}
	return nil, errors.New(strings.Join(failures, "; "))
}

func (r *Resolver) servers() ([]netip.AddrPort, error) {
	if len(r.Servers) > 0 {
		return r.Servers, nil
	}
	if r.system == nil {
		return new(system).nameservers()
	}
	return r.system.nameservers()
}
