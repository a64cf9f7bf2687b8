package state

import "time"

// RecordBacklog records how many events wait for an app, which need not be in
// the file. When nothing waits, what the last drain failed of is forgotten.
func (s *Store) RecordBacklog(app string, pending int) error {
	return s.backlog(app, func(b *Backlog) {
		b.Pending = pending
		if pending == 0 {
			b.calm()
		}
	})
}

// RecordDraining records that a drain of the app begins, which is under way until
// RecordDrained or RecordDrainFailed. It returns ErrOvertaken if the app is suspended.
func (s *Store) RecordDraining(app string) error {
	return s.write("drain of "+app, func(w *write) error {
		if w.suspended(app) {
			return ErrOvertaken
		}
		w.backlog(app, func(b *Backlog) { b.Draining = true })
		return nil
	})
}

// RecordDrained records that a drain has ended with nothing in its way. The
// queue's length is to be recorded first: while something waits the next pass
// drains again.
func (s *Store) RecordDrained(app string) error {
	return s.backlog(app, func(b *Backlog) {
		b.Draining = false
		b.calm()
	})
}

// RecordDrainFailed records why a drain through a node has stopped early,
// whether it delivered something before, and before when the next must not
// begin. The node is remembered when the rest is forgotten, so that drains stay
// with the one to which they have moved.
func (s *Store) RecordDrainFailed(app string, through Node, delivered bool, reason, message string, retryAt time.Time) error {
	return s.backlog(app, func(b *Backlog) {
		if delivered {
			b.Tries = 0
		}
		b.Draining, b.RetryAt, b.Reason, b.Message = false, retryAt, reason, message
		b.FailedOn = through
		b.Tries++
	})
}

// drainNow lets the queues whose last drain failed on n, which is that node no longer,
// be drained at once. How often they have failed stays, and so does the next pause.
func (w *write) drainNow(n Node) {
	for _, b := range backlogTable.list(w.txn, "") {
		if b.FailedOn == n && !b.RetryAt.IsZero() {
			b.RetryAt = time.Time{}
			backlogTable.put(w, b)
		}
	}
}

// calm forgets why the last drain failed.
func (b *Backlog) calm() { b.RetryAt, b.Tries, b.Reason, b.Message = time.Time{}, 0, "", "" }

func (s *Store) backlog(app string, change func(*Backlog)) error {
	return s.write("backlog of "+app, func(w *write) error {
		w.backlog(app, change)
		return nil
	})
}

func (w *write) backlog(app string, change func(*Backlog)) {
	b, _ := backlogTable.get(w.txn, key(app))
	b.App = app
	change(&b)
	backlogTable.put(w, b)
}
