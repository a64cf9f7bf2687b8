package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stopping is a controller whose process is stopped, or that takes its time over
// everything but /v1/version.
type stopping struct {
	stopped atomic.Bool
	after   time.Duration
	asked   atomic.Int32 // for anything but the version
}

func (s *stopping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isPulse := r.URL.Path == "/v1/version"
	if !isPulse {
		s.asked.Add(1)
	}
	if s.stopped.Load() {
		<-r.Context().Done()
		return
	}
	if !isPulse {
		t := time.NewTimer(s.after)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	Handler(fake{}, Options{}).ServeHTTP(w, r)
}

// asking are the methods of a client that a program uses without a deadline.
func asking() map[string]func(context.Context, *Client) error {
	return map[string]func(context.Context, *Client) error{
		"Send": func(ctx context.Context, c *Client) error { _, err := c.IncrementVisit(ctx, "/", 1); return err },
		"RealtimeCount": func(ctx context.Context, c *Client) error {
			_, err := c.RealtimeCount(ctx, "", "visits:/blog")
			return err
		},
		"Call": func(ctx context.Context, c *Client) error {
			_, err := c.Call(ctx, CallRequest{Function: "m.f/0"})
			return err
		},
		"Emit": func(ctx context.Context, c *Client) error {
			_, err := c.Emit(ctx, EmitRequest{Events: []Event{{Type: "x"}}, Wait: WaitDelivered})
			return err
		},
		"Status": func(ctx context.Context, c *Client) error { _, err := c.Status(ctx); return err },
		"EmitStream": func(ctx context.Context, c *Client) error {
			return c.EmitStream(ctx, slices.Values([]Event{{Type: "x"}}), EmitRequest{}, func(EmittedLine) error { return nil })
		},
	}
}

func TestAControllerThatHangsIsLate(t *testing.T) {
	for name, ask := range asking() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stopping{}
				s.stopped.Store(true)
				c := piped(t, s).client(t)
				began := time.Now()
				err := ask(t.Context(), c)
				if !errors.Is(err, ErrLate) || time.Since(began) != quietAfter+pulseLimit || s.asked.Load() != 1 {
					t.Errorf("after %s and %d attempts: %v", time.Since(began), s.asked.Load(), err)
				}
			})
		})
	}
}

// TestAControllerThatTakesItsTimeIsWaitedFor: a peer may take as long as rpc.timeout, and
// a delivery longer.
func TestAControllerThatTakesItsTimeIsWaitedFor(t *testing.T) {
	for name, ask := range asking() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stopping{after: 5 * time.Minute}
				c := piped(t, s).client(t)
				began := time.Now()
				err := ask(t.Context(), c)
				var p *Problem
				if err != nil && !errors.As(err, &p) || time.Since(began) != s.after {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestAControllerThatStopsLaterIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stopping{after: time.Hour}
		c := piped(t, s).client(t)
		time.AfterFunc(time.Minute, func() { s.stopped.Store(true) })
		began := time.Now()
		_, err := c.Call(t.Context(), CallRequest{Function: "m.f/0"})
		if took := time.Since(began); !errors.Is(err, ErrLate) || took <= time.Minute || took > time.Minute+quietAfter+pulseLimit {
			t.Errorf("after %s: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), quietAfter+time.Second) // while the client asks for the pulse
		defer cancel()
		if _, err := c.Call(ctx, CallRequest{Function: "m.f/0"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller's own end: %v", err)
		}
	})
}
