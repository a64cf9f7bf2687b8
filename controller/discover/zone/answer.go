package zone

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// handler answers the questions of one socket.
func (s *Server) handler(tcp bool) dns.HandlerFunc {
	return func(w dns.ResponseWriter, req *dns.Msg) {
		if len(req.Question) != 1 {
			write(w, new(dns.Msg).SetRcode(req, dns.RcodeFormatError))
			return
		}
		reply, how := s.reply(req)
		send(w, req, reply, how, tcp)
	}
}

// reply counts the question and makes the message that answers it.
func (s *Server) reply(req *dns.Msg) (*dns.Msg, Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := req.Question[0]
	s.questions++
	s.asked[canonical(q.Name)]++
	how := s.fault(q)

	reply := new(dns.Msg).SetReply(req)
	reply.Authoritative, reply.Compress = true, true
	switch {
	case how == ServFail:
		reply.Rcode = dns.RcodeServerFailure
	case how == Refused:
		reply.Rcode = dns.RcodeRefused
	case how == NoEDNS && req.IsEdns0() != nil:
		reply.Rcode = dns.RcodeFormatError
		return reply, how
	case how == NXDomain:
		reply.Rcode = dns.RcodeNameError
		reply.Ns = authority()
	case how == NoData:
		reply.Ns = authority()
	case how == Referral:
		reply.Authoritative = false
		reply.Ns = []dns.RR{&dns.NS{Hdr: header(".", dns.TypeNS), Ns: "elsewhere."}}
	default:
		s.fill(reply, q, how)
	}
	if opt := req.IsEdns0(); opt != nil {
		reply.SetEdns0(dns.DefaultMsgSize, false)
	}
	return reply, how
}

// fill adds the records that answer q: the chain of aliases, what is at its
// end, and for services the addresses of their targets.
func (s *Server) fill(reply *dns.Msg, q dns.Question, how Fault) {
	name := canonical(q.Name)
	var r *records
	for range maxChain {
		r = s.names[name]
		if r == nil || r.alias == "" || q.Qtype == dns.TypeCNAME {
			break
		}
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: header(name, dns.TypeCNAME), Target: r.alias})
		if name = r.alias; how == FirstAlias {
			return
		}
	}
	switch {
	case !s.exists(name):
		reply.Rcode = dns.RcodeNameError
		reply.Ns = authority()
		return
	case r != nil && q.Qtype == dns.TypeCNAME && r.alias != "":
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: header(name, dns.TypeCNAME), Target: r.alias})
		return
	case r != nil && r.alias != "":
		return // a loop: the links are all there is
	}
	var found []dns.RR
	if r != nil {
		found = r.of(name, q.Qtype)
	}
	if reply.Answer = append(reply.Answer, found...); len(found) == 0 {
		reply.Ns = authority()
	}
	if q.Qtype == dns.TypeSRV && how != NoAdditional {
		reply.Extra = s.targets(r)
	}
}

// targets are the addresses of r's services, as far as they are known here.
func (s *Server) targets(r *records) []dns.RR {
	if r == nil {
		return nil
	}
	var rrs []dns.RR
	seen := map[string]bool{}
	for _, t := range r.srv {
		name := canonical(t.Target)
		at := s.names[name]
		if at == nil || seen[name] {
			continue
		}
		seen[name] = true
		rrs = append(rrs, at.of(name, dns.TypeAAAA)...)
		rrs = append(rrs, at.of(name, dns.TypeA)...)
	}
	return rrs
}

// authority is what an answer without records carries, so that resolvers take
// it for one (RFC 2308).
func authority() []dns.RR {
	return []dns.RR{&dns.SOA{
		Hdr: header(".", dns.TypeSOA), Ns: "localhost.", Mbox: "nobody.localhost.",
		Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl,
	}}
}

// send writes reply as how has it, cut to what the asker takes.
func send(w dns.ResponseWriter, req, reply *dns.Msg, how Fault, tcp bool) {
	switch {
	case how == Silence:
		return
	case how == Garbage:
		// A full header that promises records, and bytes that are none.
		junk := binary.BigEndian.AppendUint16(nil, req.Id)
		_, _ = w.Write(append(junk, "\x84\x00\x00\x01\x00\x07\x00\x00\x00\x00\xff\xfe\xfdthis is not DNS"...))
		return
	case how == TruncateClosed && tcp:
		_ = w.Close()
		return
	case (how == Truncate || how == TruncateClosed) && !tcp:
		reply.Answer, reply.Ns, reply.Extra = nil, nil, nil
		reply.Truncated = true
	case how == WrongID:
		reply.Id++
	case how == WrongQuestion:
		reply.Question[0].Name = "another.name."
	}
	if !tcp {
		size := dns.MinMsgSize
		if opt := req.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		reply.Truncate(size)
	}
	write(w, reply)
}

// write sends m. The asker that does not get it asks again; there is nobody
// else to tell.
func write(w dns.ResponseWriter, m *dns.Msg) { _ = w.WriteMsg(m) }
