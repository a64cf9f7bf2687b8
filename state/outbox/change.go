package outbox

import "errors"

// What becomes of events.
const (
	Enqueued    = "enqueued"     // they wait
	Known       = "known"        // their ids were there: they were given again, and nothing was added
	Full        = "full"         // refused, for want of room in the queue
	Delivered   = "delivered"    // struck out: the app has them
	Failed      = "failed"       // a delivery was refused; they wait for another try
	Buried      = "buried"       // moved to the dead letters, for a Reason
	Retried     = "retried"      // moved from the dead letters back into the queue
	Dropped     = "dropped"      // taken out of the queue by a person
	DroppedDead = "dropped_dead" // dead letters deleted by a person
)

// Change is what became of some events of an app. But for Full and Known, it is on
// disk.
type Change struct {
	App    string
	What   string // one of the above
	Reason string // why they were buried: a stable word; else empty
	Events int    // at least 1
}

// OnEvents sets the function that hears of every change of a queue and of the dead
// letters. It is called by the goroutine whose call made the change, before that
// call returns and with no lock held; of several calls at once in any order. It
// must not block. Set it before the first call.
func (b *Box) OnEvents(hear func(Change)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onEvents = hear
}

// hearOfEnqueue tells how an Enqueue of events ended: added says how many of each
// app are new.
func (b *Box) hearOfEnqueue(events []Event, added map[string]int, err error) {
	var full *FullError
	if err != nil && !errors.As(err, &full) {
		return
	}
	if !b.isHeard() {
		return
	}
	given := map[string]int{}
	for _, e := range events {
		given[e.App]++
	}
	for app, n := range given {
		if full != nil {
			b.hear(Change{App: app, What: Full, Events: n}) // all or none
			continue
		}
		b.hear(Change{App: app, What: Enqueued, Events: added[app]})
		b.hear(Change{App: app, What: Known, Events: n - added[app]})
	}
}

// isHeard says whether there is anybody to tell.
func (b *Box) isHeard() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.onEvents != nil
}

// hear tells of a change, unless it is of no event.
func (b *Box) hear(c Change) {
	b.mu.Lock()
	hook := b.onEvents
	b.mu.Unlock()
	if hook != nil && c.Events > 0 {
		hook(c)
	}
}
