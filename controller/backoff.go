package controller

import (
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before the next try of something that has failed
// tries times in a row: doubling from first, never more than most, and spread
// over the upper half so that what failed together does not return together.
func backoff(tries int, first, most time.Duration) time.Duration {
	d := most
	if shift := max(tries, 1) - 1; shift < 30 && first <= (most-1)>>shift {
		d = first << shift
	}
	return d/2 + rand.N(d/2+1)
}

const (
	dialFirst  = 500 * time.Millisecond
	dialMost   = 30 * time.Second
	drainFirst = 500 * time.Millisecond
	drainGap   = 20 * time.Millisecond // after a connection was lost in the middle of a drain
	drainMost  = time.Minute
)
