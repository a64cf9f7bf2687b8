package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestReason(t *testing.T) {
	for _, c := range []struct {
		err   error
		word  string
		cause error
	}{
		{nil, "", nil},
		{fmt.Errorf("dial a@b: %w", ErrCookie), "CookieRejected", ErrCookie},
		{fmt.Errorf("%w: %w", ErrDown, ErrSilent), "Silent", ErrSilent},
		{fmt.Errorf("dial a@b: %w", context.DeadlineExceeded), "TimedOut", ErrTimeout},
		{fmt.Errorf("%w: EOF", ErrDown), "Disconnected", ErrDown},
		{errors.New("something else"), "Disconnected", nil},
	} {
		if got := Reason(c.err); got != c.word {
			t.Errorf("Reason(%v) = %q, want %q", c.err, got, c.word)
		}
		if got := Cause(c.err); !errors.Is(got, c.cause) || (got == nil) != (c.cause == nil) {
			t.Errorf("Cause(%v) = %v, want %v", c.err, got, c.cause)
		}
	}
}

func TestWhyADialFailedIsTheSameAtEveryTry(t *testing.T) {
	to := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 4369}
	from := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 40532}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial a@b: %w: %q answers", ErrName, "c@b"), `wrong name: "c@b" answers`},
		{fmt.Errorf("dial a@b: %w: the peer lacks %s", ErrFlags, "UNLINK_ID"), "flags refused: the peer lacks UNLINK_ID"},
		{fmt.Errorf("dial a@b: %w: the peer refused our certificate: remote error", ErrTLS), "TLS refused: the peer refused our certificate: remote error"},
		{fmt.Errorf("%w: x509: expired: current time 2026-11-27T11:00:00Z is after", ErrTLS), "TLS refused: x509: expired"},
		{fmt.Errorf("dial a@b: %w: %w", ErrUnreachable, &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: syscall.ECONNREFUSED}),
			"unreachable: 10.0.0.7:4369: connection refused"},
		{fmt.Errorf("dial a@b: %w: %w", ErrUnreachable, &net.OpError{Op: "read", Net: "tcp", Source: from, Addr: to, Err: syscall.ECONNRESET}),
			"unreachable: 10.0.0.7:4369: connection reset by peer"},
		{fmt.Errorf("dial a@b: %w: %w", ErrUnreachable, &net.DNSError{Err: "no such host", Name: "b", Server: "10.0.0.2:53"}), "unreachable: b: no such host"},
		{fmt.Errorf("%w: closed in the handshake: EOF", ErrUnreachable), "unreachable"},
		{fmt.Errorf("dial a@b: %w", ErrCookie), "cookie rejected"},
		{fmt.Errorf("dial a@b: %w", context.DeadlineExceeded), "timed out"},
		{errors.New("something else"), "something else"},
	} {
		if got := Why(c.err); got != c.want {
			t.Errorf("Why(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestACookieIsNeverPrinted(t *testing.T) {
	c := NewCookie("hush-hush")
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(format, c); got == "" || strings.Contains(got, "hush") || strings.Contains(got, "687573682d68757368") {
			t.Errorf("%s prints %s", format, got)
		}
		if got := fmt.Sprintf(format, struct{ C Cookie }{c}); strings.Contains(got, "hush") || strings.Contains(got, "687573682d68757368") {
			t.Errorf("%s of a struct prints %s", format, got)
		}
	}
}
