package api

import "errors"

// Reasons of a Problem, for programs to branch on.
//
//	reason           status   errors.Is                  what was asked for has
//	Disconnected     503      ErrDisconnected            not begun: no node is connected
//	ConnectionLost   503      ErrDisconnected, and       perhaps happened
//	                          ErrUnknownOutcome
//	TimedOut         504      ErrTimeout, and            perhaps happened
//	                          ErrUnknownOutcome
//	RemoteError      502      errors.As, *RemoteError    happened, and failed there
//	NotAllowed       403      ErrNotAllowed              not begun: rpc.allow does not have it
//	OutboxFull       429      ErrFull                    not happened
//	Unauthorized     401      ErrUnauthorized            not begun: no token, or a wrong one
//	Overloaded       503      ErrOverloaded              not begun: too much is under way
//	Unfinished       503      ErrUnknownOutcome          perhaps happened: it took too long,
//	                                                     or the controller is stopping
const (
	ReasonDisconnected   = "Disconnected"
	ReasonConnectionLost = "ConnectionLost"
	ReasonTimedOut       = "TimedOut"
	ReasonRemote         = "RemoteError"
	ReasonNotAllowed     = "NotAllowed"
	ReasonFull           = "OutboxFull"
	ReasonUnauthorized   = "Unauthorized"
	ReasonOverloaded     = "Overloaded"
	ReasonUnfinished     = "Unfinished"
)

// What a Problem is, by errors.Is.
var (
	ErrDisconnected   = errors.New("no node is connected")
	ErrTimeout        = errors.New("no answer in time")
	ErrUnknownOutcome = errors.New("the outcome is unknown")
	ErrNotAllowed     = errors.New("not allowed")
	ErrFull           = errors.New("the outbox is full")
	ErrUnauthorized   = errors.New("the API token is missing or wrong")
	ErrOverloaded     = errors.New("too much is under way")
)

// Is says whether p's Reason stands for target.
func (p *Problem) Is(target error) bool {
	switch p.Reason {
	case ReasonDisconnected:
		return target == ErrDisconnected
	case ReasonConnectionLost:
		return target == ErrDisconnected || target == ErrUnknownOutcome
	case ReasonTimedOut:
		return target == ErrTimeout || target == ErrUnknownOutcome
	case ReasonNotAllowed:
		return target == ErrNotAllowed
	case ReasonFull:
		return target == ErrFull
	case ReasonUnauthorized:
		return target == ErrUnauthorized
	case ReasonOverloaded:
		return target == ErrOverloaded
	case ReasonUnfinished:
		return target == ErrUnknownOutcome
	}
	return false
}

// Unwrap is the RemoteError, if p is about one.
func (p *Problem) Unwrap() error {
	if p.Remote == nil {
		return nil
	}
	return p.Remote
}

// Because returns p with this reason.
func (p *Problem) Because(reason string) *Problem {
	p.Reason = reason
	return p
}
