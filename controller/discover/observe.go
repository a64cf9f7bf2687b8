package discover

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"ehc/transport"
)

// Observer hears how each question ended. Its methods may be called at once, and
// must not block.
type Observer interface {
	// AskedDNS tells of one question to one name server: its outcome is one of
	// the words below, and what UDP and then TCP took together.
	AskedDNS(outcome string, took time.Duration)
	// AskedEPMD tells of one question to one EPMD: Answered, TimedOut, Garbage or
	// Unreachable.
	AskedEPMD(outcome string, took time.Duration)
}

// How a question ended. The first three are answers.
const (
	Answered    = "answer"
	Empty       = "empty"    // the name exists, and has no such record
	NXDomain    = "nxdomain" // the name does not exist
	ServFail    = "servfail"
	Refused     = "refused"
	OtherRcode  = "other_rcode"
	Referral    = "referral"
	Truncated   = "truncated" // and TCP did not complete it
	TimedOut    = "timeout"
	Garbage     = "garbage" // or answers to other questions only
	Unreachable = "unreachable"
)

// Outcomes are all of them.
func Outcomes() []string {
	return []string{Answered, Empty, NXDomain, ServFail, Refused, OtherRcode, Referral, Truncated, TimedOut, Garbage, Unreachable}
}

// failed is why a question has no answer, with the word for it.
type failed struct {
	outcome string
	err     error
}

func (f *failed) Error() string { return f.err.Error() }
func (f *failed) Unwrap() error { return f.err }

// outcome is the word for how a question ended.
func outcome(reply *dns.Msg, err error) string {
	var f *failed
	switch {
	case errors.As(err, &f):
		return f.outcome
	case err != nil:
		return Unreachable
	case reply.Rcode == dns.RcodeNameError:
		return NXDomain
	case len(reply.Answer) == 0:
		return Empty
	}
	return Answered
}

// epmdOutcome is the word for how a question to an EPMD ended.
func epmdOutcome(err error) string {
	switch {
	case err == nil:
		return Answered
	case errors.Is(err, transport.ErrProtocol):
		return Garbage
	case errors.Is(err, transport.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	}
	return Unreachable
}
