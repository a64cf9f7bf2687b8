package discover

import (
	"context"
	"math/rand/v2"
	"time"
)

// perApp bounds how many queries of one app are looked up at once. Apps do not
// share the bound, so that a slow one delays no other.
const perApp = 8

// round is what Run owns: the goroutines, one for each query.
type round struct {
	poller *Poller
	lanes  map[key]*lane
	slots  map[string]chan struct{} // by app
	pokes  int                      // of the poller's, how many were passed on
	broken chan error               // one slot: why an outcome could not be recorded
}

// lane is the goroutine that polls one query.
type lane struct {
	key    key
	job    job
	slots  chan struct{} // shared by the lanes of an app
	poke   chan struct{} // one slot
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
}

// update brings the lanes in line with what is wanted. Lanes that are to end or
// to change have ended before others start, so that no query is under way twice.
func (r *round) update(ctx context.Context) {
	r.poller.mu.Lock()
	wanted, pokes := r.poller.wanted, r.poller.pokes
	r.poller.mu.Unlock()

	var ending []*lane
	for k, l := range r.lanes {
		if now, ok := wanted[k]; !ok || !now.same(l.job) {
			l.cancel()
			ending = append(ending, l)
			delete(r.lanes, k)
		}
	}
	for _, l := range ending {
		<-l.done
	}
	if pokes != r.pokes {
		r.pokes = pokes
		for _, l := range r.lanes {
			l.nudge()
		}
	}
	slots := map[string]chan struct{}{}
	for k, j := range wanted {
		if slots[k.app] = r.slots[k.app]; slots[k.app] == nil {
			slots[k.app] = make(chan struct{}, perApp)
			r.slots[k.app] = slots[k.app]
		}
		if r.lanes[k] == nil {
			r.lanes[k] = r.start(ctx, k, j, slots[k.app])
		}
	}
	r.slots = slots
}

func (r *round) start(ctx context.Context, k key, j job, slots chan struct{}) *lane {
	ctx, cancel := context.WithCancel(ctx)
	l := &lane{key: k, job: j, slots: slots, poke: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer cancel()
		if err := l.run(ctx, r.poller); err != nil {
			select {
			case r.broken <- err:
			default: // one reason to end is enough
			}
		}
	}()
	return l
}

// stop ends every lane and waits for it.
func (r *round) stop() {
	for _, l := range r.lanes {
		l.cancel()
	}
	for _, l := range r.lanes {
		<-l.done
	}
}

func (l *lane) nudge() {
	select {
	case l.poke <- struct{}{}:
	default: // it is to look again already
	}
}

// run looks up, waits and looks up again until ctx ends or an outcome cannot be
// recorded. The first wait is any part of the interval, so that queries that
// began together drift apart; later ones differ by a tenth.
func (l *lane) run(ctx context.Context, p *Poller) error {
	interval := l.job.dns.Interval
	if interval <= 0 {
		interval = defaultInterval
	}
	wait := 1 + rand.N(interval)
	for {
		took, err := l.look(ctx, p)
		if err != nil || ctx.Err() != nil {
			return err
		}
		// A lookup that took longer than the wait leaves out the turns that it missed.
		timer := time.NewTimer(wait - took%wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.poke:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
		wait = interval - interval/10 + rand.N(interval/5+1)
	}
}

// look takes one of the app's slots, looks up and records. What a lookup says
// that was called off is not recorded.
func (l *lane) look(ctx context.Context, p *Poller) (time.Duration, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return 0, nil
	}
	began := time.Now()
	answer, err := p.find(ctx, l.job.dns, l.job.app, l.job.lookup)
	if ctx.Err() != nil {
		return 0, nil
	}
	return time.Since(began), p.record(l.key, l.job, answer, err)
}
