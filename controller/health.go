package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ehc/state"
)

const (
	// stuckAfter is how long a pass may start nothing, beside the longest call
	// that may hold the slot which it waits for.
	stuckAfter = time.Minute
	// overdueAfter is by how much a pass may be late.
	overdueAfter = 30 * time.Second
)

// heart tells how the loop gets on. Its methods may be called at once.
type heart struct {
	mu      sync.Mutex
	at      time.Time // of the last beat; zero before the first
	waiting bool      // for a change, or for wake
	wake    time.Time // zero: for a change only
}

// beat notes that the loop is at work.
func (h *heart) beat(now time.Time) { h.set(now, false, time.Time{}) }

// rest notes that the loop has made a pass and waits.
func (h *heart) rest(now, wake time.Time) { h.set(now, true, wake) }

func (h *heart) set(now time.Time, waiting bool, wake time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.waiting, h.wake = now, waiting, wake
}

// alive returns nil if the loop is at work, or waits as it should; longest is the
// longest call that a file in force allows.
//
//	has not begun                      no
//	in a pass, the last beat is old    no
//	waits, and its wake time is past   no
//	anything else                      yes
func (h *heart) alive(now time.Time, longest time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	quiet := now.Sub(h.at)
	switch {
	case h.at.IsZero():
		return errors.New("no pass has begun")
	case !h.waiting && quiet > stuckAfter+longest:
		return fmt.Errorf("a pass has started nothing for %s", quiet.Truncate(time.Second))
	case h.waiting && !h.wake.IsZero() && now.Sub(h.wake) > overdueAfter:
		return fmt.Errorf("a pass is overdue by %s", now.Sub(h.wake).Truncate(time.Second))
	}
	return nil
}

// Alive returns nil while the loop does its work, or waits as it should; else it
// says what is wrong. A process of which it does not come true again is to be
// restarted.
func (c *Controller) Alive(context.Context) error {
	longest := dialLimit
	for _, a := range c.config.Spec().Apps {
		if a.Deliver != nil {
			longest = max(longest, a.Deliver.Timeout)
		}
	}
	return c.heart.alive(time.Now(), longest)
}

// LookedUp returns nil once the first lookup of every query has ended, well or not;
// else it names those that are under way.
func (c *Controller) LookedUp(context.Context) error {
	if waiting := notLookedUp(c.store.Snapshot()); len(waiting) > 0 {
		return fmt.Errorf("not looked up yet: %s", strings.Join(waiting, ", "))
	}
	return nil
}

// notLookedUp are the names of the queries without an outcome yet.
func notLookedUp(snap state.Snapshot) (names []string) {
	for _, q := range snap.Queries() {
		if !isKnown(q) {
			names = append(names, q.Name)
		}
	}
	return names
}

// isKnown says that a query has been looked up, well or not.
func isKnown(q state.Query) bool { return q.Known || q.Err != "" }
