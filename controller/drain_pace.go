package controller

import (
	"time"

	"ehc/transport"
)

const (
	// firstBatch is how many events a connection's first batch has.
	firstBatch = 32
	// briskCall is how quickly a batch is answered, at most, for the next one to
	// be larger: an eighth of the call's deadline where that is less. One that
	// takes four times as long makes the next smaller.
	briskCall = 250 * time.Millisecond
)

// pace is how many events a peer gets in one call, while a connection lasts. One
// drain at a time uses it.
//
//	the last batch                                     the next one
//	answered soon, and it was full                     four times as large
//	answered late                                      half as large
//	no usable answer                                   a quarter as large
//	answered, but events of a batch without a usable
//	answer are still ahead                             the same
//
// The next one is read while the peer is at the last, so each size comes twice.
//
// So an event that spoils the answer to its batch is alone in one after a few
// tries, without the healthy ones behind it being tried in large batches again
// and again.
type pace struct {
	conn    transport.Conn
	each    bool // it does not export the handler of batches
	size    int
	suspect uint64 // the last event of the newest batch without a usable answer
}

// answered notes a batch of n events up to last, all of them handled.
func (p *pace) answered(n int, last uint64, took, limit time.Duration) {
	brisk := min(briskCall, limit/8)
	switch {
	case last <= p.suspect:
	case took > 4*brisk:
		p.size = max(n/2, 1)
	case took <= brisk && n >= p.size:
		p.size *= 4
	}
}

// spoiled notes a batch of n events up to last without a usable answer.
func (p *pace) spoiled(n int, last uint64) {
	p.size = max(n/4, 1)
	p.suspect = last
}
