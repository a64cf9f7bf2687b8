package ergonode

import "time"

const (
	// linger is how long an answer may wait for others. The runtime's timers are no
	// finer when nothing runs.
	linger = time.Millisecond
	// manyCalls is how many calls have to be under way before anything waits.
	manyCalls = 32
	// inVain is how often nothing more is hoped for after a wait in vain.
	inVain = 16
)

// batch decides how many answers make it worth while to wake up and read. Each time
// costs more than an answer does, on both ends: what the peer sends meanwhile leaves
// it together. When many calls are under way an answer may wait a moment for those
// of others.
//
//	last time                 how much the next waits for
//	as much as hoped for      twice as much, what a quarter of the calls makes at most
//	less: it came late        nothing, the next 16 times
//	fewer than 32 calls       nothing
//
// Calls that take long count among those under way and bring no answers; because of
// the second rule they delay few of the others.
type batch struct {
	want int // answers; 1 waits for nothing
	rest int // times before want may grow again
}

func (b *batch) learn(late bool, underWay int) {
	switch {
	case underWay < manyCalls:
		b.want, b.rest = 1, 0
	case late:
		b.want, b.rest = 1, inVain
	case b.rest > 0:
		b.rest--
	case 2*b.want <= underWay/4:
		b.want *= 2
	case b.want > underWay/4:
		b.want /= 2
	}
}

// underWay is how many calls of ours wait for the peer.
func (l *link) underWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls)
}
