package zone

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// ttl is that of every record, in seconds: as short as Fly's.
const ttl = 5

// chunk is the most that one string of a TXT record may hold, in bytes.
const chunk = 255

// maxChain bounds how many aliases one answer follows.
const maxChain = 16

// SRV is one target of a service. Priority and weight are always 0.
type SRV struct {
	Target string
	Port   uint16
}

// records is all that one name has. A name with none of them exists, and has
// no data.
type records struct {
	addrs []netip.Addr
	srv   []SRV
	txt   []string
	alias string // canonical; it excludes all others
}

// Set has name answer with addrs, A and AAAA, in place of the addresses that it
// had. Without addresses, a name that had nothing comes to exist with no data.
func (s *Server) Set(name string, addrs ...netip.Addr) {
	s.edit(name, func(r *records) { r.addrs, r.alias = slices.Clone(addrs), "" })
}

// SetSRV has name answer with targets, in place of those that it had. An answer
// carries the targets' addresses too, as far as the server knows them; see
// NoAdditional.
func (s *Server) SetSRV(name string, targets ...SRV) {
	s.edit(name, func(r *records) { r.srv, r.alias = slices.Clone(targets), "" })
}

// SetTXT has name answer with one TXT record for each text, in place of those
// that it had. A text of more than 255 bytes is cut into strings of 255.
func (s *Server) SetTXT(name string, texts ...string) {
	s.edit(name, func(r *records) { r.txt, r.alias = slices.Clone(texts), "" })
}

// SetAlias makes name an alias (CNAME) of target and drops all else it had. An
// answer holds the whole chain, as far as the server knows it; see FirstAlias.
func (s *Server) SetAlias(name, target string) {
	s.edit(name, func(r *records) { *r = records{alias: canonical(target)} })
}

// Clear forgets name, its records and its faults: it does not exist.
func (s *Server) Clear(name string) {
	name = canonical(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, name)
	for q := range s.faults {
		if q.name == name {
			delete(s.faults, q)
		}
	}
}

func (s *Server) edit(name string, change func(*records)) {
	name = canonical(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.names[name]
	if r == nil {
		r = &records{}
		s.names[name] = r
	}
	change(r)
}

// exists says whether name has records, or is above a name that has: such a
// name has no data, but it is there (RFC 8020).
func (s *Server) exists(name string) bool {
	if s.names[name] != nil {
		return true
	}
	for other := range s.names {
		if strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}

// of returns the records of name that answer a question for typ.
func (r *records) of(name string, typ uint16) []dns.RR {
	var rrs []dns.RR
	for _, addr := range r.addrs {
		addr = addr.Unmap()
		switch {
		case addr.Is4() && typ == dns.TypeA:
			rrs = append(rrs, &dns.A{Hdr: header(name, typ), A: addr.AsSlice()})
		case addr.Is6() && typ == dns.TypeAAAA:
			rrs = append(rrs, &dns.AAAA{Hdr: header(name, typ), AAAA: addr.AsSlice()})
		}
	}
	if typ == dns.TypeSRV {
		for _, t := range r.srv {
			rrs = append(rrs, &dns.SRV{Hdr: header(name, typ), Target: canonical(t.Target), Port: t.Port})
		}
	}
	if typ == dns.TypeTXT {
		for _, text := range r.txt {
			rrs = append(rrs, &dns.TXT{Hdr: header(name, typ), Txt: chunks(text)})
		}
	}
	return rrs
}

// chunks cuts text into the strings of one TXT record; an empty text is one
// empty string, since a record without any is malformed.
func chunks(text string) []string {
	var out []string
	for len(text) > chunk {
		out, text = append(out, text[:chunk]), text[chunk:]
	}
	return append(out, text)
}

func header(name string, typ uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: ttl}
}
