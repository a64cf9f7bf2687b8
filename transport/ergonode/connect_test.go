package ergonode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"ehc/transport"
)

// A host may have an address of a network that swallows what is sent to it.
func TestWhichErrorsLeadToTheNextAddress(t *testing.T) {
	for _, c := range []struct {
		why  error
		next bool
	}{
		{transport.ErrUnreachable, true},
		{transport.ErrNotListed, true},
		{transport.ErrTimeout, true},
		{transport.ErrCookie, false},
		{transport.ErrName, false},
		{transport.ErrYielded, false},
		{transport.ErrClosed, false},
		{context.Canceled, false},
	} {
		var tried []int
		got, err := inTurn([]string{"first", "second"}, elsewhere, func(addr string, i int) (string, error) {
			if tried = append(tried, i); i == 0 {
				return "", fmt.Errorf("%s: %w", addr, c.why)
			}
			return addr, nil
		})
		if c.next && (got != "second" || err != nil || !slices.Equal(tried, []int{0, 1})) {
			t.Errorf("after %v: %q, %v, tried %v", c.why, got, err, tried)
		}
		if !c.next && (!errors.Is(err, c.why) || len(tried) != 1) {
			t.Errorf("after %v: %q, %v, tried %v", c.why, got, err, tried)
		}
	}
}
