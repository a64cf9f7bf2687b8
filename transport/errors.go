package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// Why a Dial failed. Dial wraps exactly one of them, or the context's error.
var (
	ErrUnreachable = errors.New("unreachable")
	ErrNotListed   = errors.New("not listed in EPMD")
	ErrCookie      = errors.New("cookie rejected")
	ErrFlags       = errors.New("flags refused")
	ErrName        = errors.New("wrong name")
	ErrTimeout     = errors.New("timed out")
	ErrYielded     = errors.New("gave way to the peer's own dial")
	ErrProtocol    = errors.New("not an Erlang node")
	ErrTLS         = errors.New("TLS refused")
)

// Why a connection ended, or could not be used. A Down has one of them or an
// error of the network.
var (
	ErrDown     = errors.New("not connected")
	ErrClosed   = errors.New("closed by us")
	ErrSilent   = errors.New("peer fell silent")
	ErrReplaced = errors.New("replaced by the peer's new connection")
	ErrOverload = errors.New("peer takes nothing: send queue full")
)

// ErrBusy says that a peer's call was turned away because too many of its calls are
// under way.
var ErrBusy = errors.New("too many calls under way")

var reasons = []struct {
	err  error
	word string
}{
	{ErrUnreachable, "Unreachable"},
	{ErrNotListed, "NotListed"},
	{ErrCookie, "CookieRejected"},
	{ErrFlags, "FlagsRefused"},
	{ErrName, "WrongName"},
	{ErrTimeout, "TimedOut"},
	{ErrYielded, "Yielded"},
	{ErrProtocol, "NotErlang"},
	{ErrTLS, "TLSRefused"},
	{ErrClosed, "Closed"},
	{ErrSilent, "Silent"},
	{ErrReplaced, "Replaced"},
	{ErrOverload, "Overloaded"},
	{ErrDown, "Disconnected"},
}

// Word is a stable word of Reason's, and what it says.
type Word struct{ Word, Means string }

// Reasons are all words that Reason gives.
func Reasons() []Word {
	words := make([]Word, 0, len(reasons))
	for _, r := range reasons {
		words = append(words, Word{r.word, r.err.Error()})
	}
	return words
}

// Reason is the stable word for why err happened: "CookieRejected" and so on;
// "Disconnected" for a connection that just ended and for what it does not know;
// "" for nil.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	cause := Cause(err)
	for _, r := range reasons {
		if errors.Is(cause, r.err) {
			return r.word
		}
	}
	return "Disconnected"
}

// Cause is the one of this package's errors that err wraps, without the words
// around it: the same at every try. A context's deadline is ErrTimeout. nil if it
// wraps none.
func Cause(err error) error {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.err
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrTimeout
	}
	return nil
}

// Why is Cause in words, with what of err is the same at every try and says where to
// look: the name that answers, the flags that are missing, which side refuses TLS and
// what for, the address that cannot be reached. Without a cause it is err itself.
func Why(err error) string {
	cause := Cause(err)
	if cause == nil {
		return err.Error()
	}
	detail := ""
	switch {
	case errors.Is(cause, ErrName), errors.Is(cause, ErrFlags), errors.Is(cause, ErrTLS):
		_, detail, _ = strings.Cut(err.Error(), cause.Error()+": ")
		detail, _, _ = strings.Cut(detail, "\n")
		detail, _, _ = strings.Cut(detail, ": current time ") // which a certificate is held against
	case errors.Is(cause, ErrUnreachable):
		detail = network(err)
	}
	if detail == "" {
		return cause.Error()
	}
	return cause.Error() + ": " + detail
}

// network is what the network says, without the port that was ours.
func network(err error) string {
	var lookup *net.DNSError
	var op *net.OpError
	var errno syscall.Errno
	switch {
	case errors.As(err, &lookup):
		return lookup.Name + ": " + lookup.Err
	case !errors.As(err, &errno):
		return ""
	case errors.As(err, &op) && op.Addr != nil:
		return op.Addr.String() + ": " + errno.Error()
	}
	return errno.Error()
}

// RaisedError is what a called function raised.
type RaisedError struct {
	Class  string // "throw", "exit" or "error"
	Reason Term
	Stack  Term   // for class error only, as Erlang sent it
	Text   string // Reason in Erlang's syntax
}

func (e *RaisedError) Error() string { return fmt.Sprintf("raised %s: %s", e.Class, e.Text) }

// SignalError says that the process which was to answer is gone: Reason is its
// exit reason, the atom noproc if it never was.
type SignalError struct {
	Reason Term
	Text   string // Reason in Erlang's syntax
}

func (e *SignalError) Error() string { return "exited: " + e.Text }

// SpawnError says that the peer did not start a call.
type SpawnError struct {
	Reason string // an atom: "notsup", "badopt", "system_limit"
}

func (e *SpawnError) Error() string { return "not started: " + e.Reason }
