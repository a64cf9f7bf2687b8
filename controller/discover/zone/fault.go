package zone

import (
	"fmt"

	"github.com/miekg/dns"
)

// Fault is a way to answer wrongly, or oddly.
type Fault uint8

// The faults. Each holds for UDP and TCP unless it says otherwise.
const (
	None           Fault = iota // answers as it should
	ServFail                    // rcode SERVFAIL
	Refused                     // rcode REFUSED
	Silence                     // no answer at all
	Truncate                    // over UDP nothing but the TC bit; over TCP all of it
	TruncateClosed              // over UDP nothing but the TC bit; TCP is closed without an answer
	Garbage                     // the right id, and after it nothing that is DNS
	NXDomain                    // the name does not exist, whatever was set
	NoData                      // the name exists and has no such record, whatever was set
	WrongID                     // a whole answer under another id
	WrongQuestion               // a whole answer, to another question
	NoEDNS                      // FORMERR to a question with EDNS0, an answer to one without
	NoAdditional                // an SRV answer without the addresses of its targets
	FirstAlias                  // of a chain of aliases only the first link
	Referral                    // no answer, but the name of a server to ask instead
)

// Fail has every question for name answered as how says, until another Fail or
// Clear. None ends a fault and keeps the records.
func (s *Server) Fail(name string, how Fault) { s.setFault(question{name: canonical(name)}, how) }

// FailType is Fail for the questions of one type, such as "AAAA"; it counts
// before a fault for the whole name. It panics if there is no such type.
func (s *Server) FailType(name, rrtype string, how Fault) {
	typ, ok := dns.StringToType[rrtype]
	if !ok {
		panic(fmt.Sprintf("zone: no record type %q", rrtype))
	}
	s.setFault(question{name: canonical(name), typ: typ}, how)
}

func (s *Server) setFault(q question, how Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if how == None {
		delete(s.faults, q)
		return
	}
	s.faults[q] = how
}

// fault is how to answer q. The caller holds the lock.
func (s *Server) fault(q dns.Question) Fault {
	name := canonical(q.Name)
	if how, ok := s.faults[question{name: name, typ: q.Qtype}]; ok {
		return how
	}
	return s.faults[question{name: name}]
}
