package discover

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// verdict is nil if reply answers its question, be it with nothing, and says
// why not otherwise.
func verdict(reply *dns.Msg, server netip.AddrPort) error {
	switch reply.Rcode {
	case dns.RcodeSuccess:
		if referral(reply) {
			return &failed{Referral, fmt.Errorf("referral from %s, which does not resolve for us", server)}
		}
		return nil
	case dns.RcodeNameError:
		return nil
	}
	word, ok := dns.RcodeToString[reply.Rcode]
	if !ok {
		word = fmt.Sprintf("rcode %d", reply.Rcode)
	}
	how := OtherRcode
	switch reply.Rcode {
	case dns.RcodeServerFailure:
		how = ServFail
	case dns.RcodeRefused:
		how = Refused
	}
	return &failed{how, fmt.Errorf("%s from %s", word, server)}
}

// referral says whether reply only names other servers to ask (RFC 2308, 2.2):
// it looks like an empty answer and is none.
func referral(reply *dns.Msg) bool {
	return len(reply.Answer) == 0 && !reply.Authoritative && holds(reply.Ns, dns.TypeNS) && !holds(reply.Ns, dns.TypeSOA)
}

func holds(records []dns.RR, typ uint16) bool {
	for _, rr := range records {
		if rr.Header().Rrtype == typ {
			return true
		}
	}
	return false
}

// found is what is at the end of a name's chain of aliases.
type found struct {
	records []dns.RR
	extra   []dns.RR      // the additional section that came with them
	ttl     time.Duration // the least on the way; 0 if there are no records
}

// records asks for name, follows its aliases within the answer and asks on
// where an answer ends in an alias of which it does not tell more.
//
//	end of the chain has records                        → they are it
//	name has no alias, NXDOMAIN, or the answer has SOA  → empty
//	otherwise                                           → ask for the end of the chain
func (r *Resolver) records(ctx context.Context, name string, typ uint16) (found, error) {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return found{}, fmt.Errorf("%q is not a domain name", name)
	}
	at, shortest := dns.CanonicalName(name), time.Duration(0)
	for range maxQuestions {
		reply, err := r.answer(ctx, at, typ)
		if err != nil {
			return found{}, err
		}
		end, err := chainEnd(reply.Answer, at)
		if err != nil {
			return found{}, err
		}
		records := owned(reply.Answer, end, typ)
		if len(records) == 0 && holds(reply.Answer, typ) {
			return found{}, fmt.Errorf("answer for %s tells only of other names", at)
		}
		shortest = least(shortest, shortestTTL(reply.Answer))
		if len(records) > 0 {
			return found{records: records, extra: reply.Extra, ttl: shortest}, nil
		}
		if end == at || reply.Rcode == dns.RcodeNameError || holds(reply.Ns, dns.TypeSOA) {
			return found{}, nil
		}
		at = end
	}
	return found{}, fmt.Errorf("too many aliases behind %s", name)
}

// chainEnd follows the aliases in records from name on.
func chainEnd(records []dns.RR, name string) (string, error) {
	alias := map[string]string{}
	for _, rr := range records {
		if link, ok := rr.(*dns.CNAME); ok {
			alias[dns.CanonicalName(link.Hdr.Name)] = dns.CanonicalName(link.Target)
		}
	}
	at := name
	for range maxLinks {
		next, ok := alias[at]
		if !ok {
			return at, nil
		}
		at = next
	}
	return "", fmt.Errorf("too many aliases behind %s", name)
}

// owned returns the records of one name and type.
func owned(records []dns.RR, name string, typ uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range records {
		h := rr.Header()
		if h.Rrtype == typ && h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == name {
			out = append(out, rr)
		}
	}
	return out
}

func shortestTTL(records []dns.RR) time.Duration {
	var ttl time.Duration
	for _, rr := range records {
		ttl = least(ttl, time.Duration(rr.Header().Ttl)*time.Second)
	}
	return ttl
}
