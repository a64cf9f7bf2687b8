package state

import (
	"errors"
	"time"
)

// ErrOvertaken says that an action must not be started: the store has learned
// something since its plan was made that makes it wrong. The next pass plans
// with that.
var ErrOvertaken = errors.New("overtaken by newer facts")

// A connection's phases, and what moves it:
//
//	            RecordDialling            RecordUp
//	     ┌──▶ Down ───────────▶ Dialling ──────────▶ Up ──┐
//	     │     │ ▲                 │                 ▲    │
//	     │     │ └─────────────────┘                 │    │
//	     │     │   RecordDialFailed                  │    │
//	     │     └─────────────────────────────────────┘    │
//	     │                    RecordUp (the peer dialled) │
//	     └────────────────────────────────────────────────┘
//	                        RecordDown
//
// A row that is down leaves the table when no peer row has its node.

// RecordUp records a connection to n, dialled or accepted, with the incarnation
// that its handshake gave. If no peer row has n the connection is nobody's,
// until a query lists n. RecordUp and RecordDown of one node must be called in
// the order in which things happened; of a connection that is up already, with
// the same incarnation, RecordUp changes nothing.
func (s *Store) RecordUp(n Node, creation uint32, now time.Time) error {
	return s.write("up of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase == Up && c.Creation == creation {
			return nil
		}
		w.forgetPubSub(n)
		if c.Phase == Up {
			w.drainNow(n)
		}
		up := Conn{Node: n, App: c.App, Phase: Up, Since: now, Creation: creation, Synced: c.Synced, Tries: c.Tries}
		if c.Creation == creation {
			up.Release = c.Release
		}
		connTable.put(w, up)
		w.settle(n)
		return nil
	})
}

// RecordDown records that the connection to n has ended and why: a stable word
// and the same for people. With a zero retryAt n, if it is wanted, may be dialled
// at once; any other says that the connection did not last, and counts as a try
// that failed. If no query lists n, it leaves the table. Of a connection that is
// down already it changes nothing. A queue that waits because a drain through n has
// failed waits no longer: what comes next, n itself or another, may be mended.
func (s *Store) RecordDown(n Node, reason, message string, now, retryAt time.Time) error {
	return s.write("down of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase == Down {
			return nil
		}
		w.forgetPubSub(n)
		w.drainNow(n)
		c.Phase, c.Since, c.Busy = Down, now, false
		c.RetryAt, c.Reason, c.Message = retryAt, reason, message
		c.Tries++
		if retryAt.IsZero() {
			c.Tries = 0
		}
		connTable.put(w, c)
		w.settle(n)
		return nil
	})
}

// RecordDialling records that n is about to be dialled. It returns ErrOvertaken
// if no query lists n any more: then n must not be dialled, because a connection
// to it would be nobody's; or if every app that lists it is suspended. A connection
// that is up stays so.
func (s *Store) RecordDialling(n Node) error {
	return s.write("dial of "+string(n), func(w *write) error {
		rows := peerTable.of(w.txn, n)
		if !wanted(rows) || w.leftAlone(rows) {
			return ErrOvertaken
		}
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase == Up {
			return nil
		}
		c.Node, c.App, c.Phase = n, owner(c.App, rows), Dialling
		connTable.put(w, c)
		return nil
	})
}

// RecordUndialled records that n is not dialled after all: what RecordDialling has
// marked is as before, and n leaves the table if no query lists it.
func (s *Store) RecordUndialled(n Node) error {
	return s.write("dial of "+string(n)+" given up", func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase != Dialling {
			return nil
		}
		c.Phase = Down
		connTable.put(w, c)
		w.settle(n)
		return nil
	})
}

// RecordDialFailed records that a dial of n has failed, why, and before when it
// must not be dialled again. If no query has listed n since, n leaves the table.
// It changes nothing if a connection is up: the peer's own dial has worked.
func (s *Store) RecordDialFailed(n Node, reason, message string, retryAt time.Time) error {
	return s.write("failed dial of "+string(n), func(w *write) error {
		c, known := connTable.get(w.txn, key(string(n)))
		if !known || c.Phase == Up {
			return nil
		}
		c.Phase, c.RetryAt, c.Reason, c.Message = Down, retryAt, reason, message
		c.Tries++
		connTable.put(w, c)
		w.settle(n)
		return nil
	})
}
