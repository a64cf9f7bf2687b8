package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	maxTries   = 8
	pauseFirst = 50 * time.Millisecond
	pauseMost  = time.Second
)

// again makes a request that may be made more than once until it has an answer that
// another attempt would not change, maxTries times or until ctx ends.
func again[A any](ctx context.Context, f func() (A, error)) (A, error) {
	return againWhile(ctx, maxTries, passing, f)
}

// againWhile is again for the errors that helps names.
func againWhile[A any](ctx context.Context, times int, helps func(error) bool, f func() (A, error)) (A, error) {
	pause := pauseFirst
	for try := 1; ; try++ {
		a, err := f()
		if err == nil || try == times || ctx.Err() != nil || !helps(err) {
			return a, err
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2+1)) // so that those that failed together do not return together
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return a, err
		}
		pause = min(2*pause, pauseMost)
	}
}

// passing says that err may be gone soon:
//
//	nobody listens, or the connection broke    yes
//	somebody listens and does not answer       no: that has been waited for
//	503, the controller is busy or stopping    yes
//	503, no node is connected                  no: that is the answer
//	any other Problem                          no
func passing(err error) bool {
	var p *Problem
	if !errors.As(err, &p) {
		return !errors.Is(err, ErrLate)
	}
	return p.Status == http.StatusServiceUnavailable && !errors.Is(err, ErrDisconnected)
}
