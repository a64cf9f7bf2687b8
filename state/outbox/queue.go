package outbox

import (
	"errors"
	"math/bits"
)

// queue is what memory holds of one app, under the Box's mutex: a copy of the
// newest row that is known to be on disk, and who waits for it to change.
type queue struct {
	row     row
	order   uint64 // of row: states are learned in any order, the newest stays
	damage  *DamageError
	dead    deadState
	waiters map[*waiter]bool
	dropped []span
	fates   fates

	told    int  // the step that the hook was last called for
	telling bool // a goroutine is at it
}

// rowState is an app's row as one transaction leaves it, and its place among
// all.
type rowState struct {
	row
	order uint64
}

// deadState is how many dead letters an app has as one transaction leaves it, and
// its place among all.
type deadState struct {
	letters int
	order   uint64
}

// OnChange sets the function that is told when an app's queue leaves zero or
// reaches it, and coarsely in between: at each power of two up to 1024, then
// at each further 1024. It is called with the number that waits at that
// moment, by the goroutine whose call changed it, with no lock held; for one
// app never twice at once, and the last call is never older than the last
// change it stands for. It must not block. It is not called for what Open
// found: see Stats.
func (b *Box) OnChange(tell func(app string, pending int)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onChange = tell
}

// step is where on OnChange's ladder a queue stands.
func step(pending int) int {
	if pending < 1024 {
		return bits.Len(uint(pending))
	}
	return 10 + pending/1024
}

// stamp orders a row state. Only functions that the store runs may call it, one
// at a time: so the order is that of the commits.
func (b *Box) stamp(r row) rowState { return rowState{r, b.order.Add(1)} }

// stampDead is stamp for the number of dead letters.
func (b *Box) stampDead(letters int) deadState { return deadState{letters, b.order.Add(1)} }

// learnDead takes up how many dead letters are on disk, and what became of those that
// are none any more.
func (b *Box) learnDead(app string, dead deadState, gone ...fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue(app)
	for _, f := range gone {
		q.fates.note(f)
	}
	if dead.order > q.dead.order {
		q.dead = dead
	}
}

// learn takes up row states that are on disk, wakes who waited for them, and
// tells the hook.
func (b *Box) learn(states map[string]rowState) {
	for app, s := range states {
		b.mu.Lock()
		q := b.queue(app)
		if s.order > q.order {
			moved := s.head > q.row.head
			q.row, q.order = s.row, s.order
			if moved {
				q.wake()
			}
		}
		b.mu.Unlock()
		b.tell(app)
	}
}

// tell calls the hook until it knows the step at which the queue stands.
func (b *Box) tell(app string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, hook := b.queue(app), b.onChange
	if q.telling {
		return // whoever is at it looks again
	}
	q.telling = true
	for step(q.row.pending()) != q.told {
		pending := q.row.pending()
		q.told = step(pending)
		if hook != nil {
			b.mu.Unlock()
			hook(app, pending)
			b.mu.Lock()
		}
	}
	q.telling = false
}

// queue returns the app's, which exists from then on. The caller holds mu.
func (b *Box) queue(app string) *queue {
	q := b.queues[app]
	if q == nil {
		q = &queue{row: row{head: 1, next: 1}}
		b.queues[app] = q
	}
	return q
}

// noteDamage keeps what err tells of damage for Stats, and returns err.
func (b *Box) noteDamage(err error) error {
	var d *DamageError
	if errors.As(err, &d) && !d.Dead {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.queue(d.App).damage = d
	}
	return err
}
