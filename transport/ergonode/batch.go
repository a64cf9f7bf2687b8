package ergonode

import "time"

const (
	// linger is how long a frame or an answer may wait for others to share a system
	// call with. The runtime may make a millisecond of it.
	linger = 200 * time.Microsecond
	// manyCalls is how many calls have to be under way before anything waits.
	manyCalls = 32
	// inVain is how often nothing more is hoped for after a wait in vain.
	inVain = 64
)

// batch decides how much makes a write, or a read, worth while. Each wakes the
// peer or us, which costs more than a small frame does; when many calls are under
// way, a frame may wait a moment for those of others, since both ends have enough
// to do meanwhile.
//
//	last time                 how much the next waits for
//	as much as hoped for      twice as much, what a quarter of the calls makes at most
//	less: it came late        nothing, the next 64 times
//	fewer than 32 calls       nothing
//
// Calls that take long count among those under way and bring no frames; because of
// the second rule they delay few of the others.
type batch struct {
	want int // calls; 1 waits for nothing
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
