package transport

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
