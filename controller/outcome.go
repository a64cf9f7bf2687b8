package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/outbox"
)

// longQueue is how many events may wait for an app before a new one is taken to be
// delivered not just now.
const longQueue = 1000

// fateLimit bounds how long it takes to look up what became of events.
const fateLimit = 5 * time.Second

// worse orders outcomes: of an event that goes to several apps the worst is told.
var worse = map[string]int{api.OutcomeDelivered: 0, api.OutcomeBuffered: 1, api.OutcomeDropped: 2, api.OutcomeDead: 3}

// outcomes waits for events, as long as wait says and limit at most, and says what
// became of each id. With "connected" it does not wait where no delivery is about to
// happen.
func (c *Controller) outcomes(ctx context.Context, wait string, limit time.Duration, events []outbox.Event) (map[string]string, error) {
	if wait != api.WaitDurable {
		within, cancel := ctx, func() {}
		if limit > 0 {
			within, cancel = context.WithTimeout(ctx, limit)
		}
		c.await(within, wait == api.WaitConnected, events)
		cancel()
	}
	// What is on disk is told whether or not ctx has ended meanwhile.
	brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), fateLimit)
	defer cancel()
	out := make(map[string]string, len(events))
	for _, e := range events {
		one, err := outcomeOf(c.box.Fate(brief, e.App, e.Seq))
		if err != nil {
			return nil, err
		}
		if had, ok := out[e.ID]; !ok || worse[one] > worse[had] {
			out[e.ID] = one
		}
	}
	return out, nil
}

// await returns when every event has left its queue, ctx has ended, or, if only
// hopeful ones count, no other event is about to be delivered.
func (c *Controller) await(ctx context.Context, hopeful bool, events []outbox.Event) {
	hoping := map[string]context.Context{}
	for _, e := range events {
		within := ctx
		if hopeful {
			if hoping[e.App] == nil {
				var done func()
				hoping[e.App], done = c.hopes.while(ctx, e.App, c.store.Snapshot)
				defer done()
			}
			within = hoping[e.App]
		}
		_ = c.box.Wait(within, e.App, e.Seq) // Fate tells
	}
}

func outcomeOf(err error) (string, error) {
	switch {
	case err == nil:
		return api.OutcomeDelivered, nil
	case errors.Is(err, outbox.ErrWaiting):
		return api.OutcomeBuffered, nil
	case errors.Is(err, outbox.ErrDead):
		return api.OutcomeDead, nil
	case errors.Is(err, outbox.ErrDropped):
		return api.OutcomeDropped, nil
	}
	return "", err
}

// hopes are those who wait for a delivery as long as one may be about to happen.
type hopes struct {
	mu sync.Mutex
	of map[string]map[*context.CancelFunc]bool // by app
}

// while returns a context that ends when ctx does, when see finds that nothing will
// be delivered to app just now, or when done is called, which it has to be.
func (h *hopes) while(ctx context.Context, app string, now func() state.Snapshot) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	h.mu.Lock()
	if h.of == nil {
		h.of = map[string]map[*context.CancelFunc]bool{}
	}
	if h.of[app] == nil {
		h.of[app] = map[*context.CancelFunc]bool{}
	}
	h.of[app][&cancel] = true
	h.mu.Unlock()
	if !promising(now(), app) { // see may have come before
		cancel()
	}
	return ctx, func() {
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(h.of[app], &cancel); len(h.of[app]) == 0 {
			delete(h.of, app)
		}
	}
}

// see ends the waits for apps to which nothing will be delivered just now.
func (h *hopes) see(snap state.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for app, waits := range h.of {
		if promising(snap, app) {
			continue
		}
		for cancel := range waits {
			(*cancel)()
		}
	}
}

// promising says that an event which is put into the app's queue now is likely to be
// delivered at once: a node is up, nothing has gone wrong there, and few wait.
func promising(snap state.Snapshot, app string) bool {
	for _, s := range snap.Suspended() {
		if s.App == app {
			return false
		}
	}
	if b := snap.Backlog(app); b.Reason != "" || b.Pending > longQueue {
		return false
	}
	for _, n := range snap.Conns() {
		if n.App == app && n.Phase == state.Up && (n.Synced == n.Creation || n.Reason == "") {
			return true
		}
	}
	return false
}
