package state

import "time"

// RecordResyncing records that a resync with this incarnation of n begins: n is Busy
// until RecordSynced, RecordSyncFailed or RecordDown. It returns ErrOvertaken if n is
// not up, is another incarnation by now, is busy or nobody's, or if its app and every
// other that lists it are suspended. Then it must not begin: the mark would be of
// something else, and the end of this resync would not take it off.
func (s *Store) RecordResyncing(n Node, creation uint32) error {
	return s.write("resync of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		halted := w.suspended(c.App) && w.leftAlone(peerTable.of(w.txn, n))
		if c.Phase != Up || c.Creation != creation || c.Busy || c.App == "" || halted {
			return ErrOvertaken
		}
		c.Busy = true
		connTable.put(w, c)
		return nil
	})
}

// RecordSynced records that a resync with this incarnation of n has worked, and
// which OTP release it runs. It does nothing if n is down or is another
// incarnation by now.
func (s *Store) RecordSynced(n Node, creation uint32, release string) error {
	return s.write("resync of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase != Up || c.Creation != creation {
			return nil
		}
		c.Synced, c.Release, c.Busy = creation, release, false
		c.RetryAt, c.Reason, c.Message = time.Time{}, "", ""
		connTable.put(w, c)
		return nil
	})
}

// RecordSyncFailed records why a resync with this incarnation of n has failed, and
// before when it must not be tried again. It does nothing if none was under way, as
// when the connection has been lost since, or if n is another incarnation by now.
func (s *Store) RecordSyncFailed(n Node, creation uint32, reason, message string, retryAt time.Time) error {
	return s.write("failed resync of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if !c.Busy || c.Creation != creation {
			return nil
		}
		c.Busy, c.RetryAt, c.Reason, c.Message = false, retryAt, reason, message
		c.Tries++
		connTable.put(w, c)
		return nil
	})
}

// RecordPruned records that the connection to n is being cut: it is Busy until
// RecordDown, and counts in its app's batch from now. It returns ErrOvertaken if
// n is not up, busy, wanted again, suspended, or nobody's: then it must not be cut.
func (s *Store) RecordPruned(n Node, now time.Time) error {
	return s.write("prune of "+string(n), func(w *write) error {
		c, _ := connTable.get(w.txn, key(string(n)))
		if c.Phase != Up || c.Busy || c.App == "" || w.suspended(c.App) || wanted(peerTable.of(w.txn, n)) {
			return ErrOvertaken
		}
		c.Busy = true
		connTable.put(w, c)
		w.count(c.App, now)
		return nil
	})
}

// count adds a node to the app's batch, or begins a new one if the last is over.
func (w *write) count(app string, now time.Time) {
	a, _ := appTable.get(w.txn, key(app))
	b, _ := batchTable.get(w.txn, key(app))
	if !now.Before(b.At.Add(a.Prune.After)) {
		b.Count = 0
	}
	batchTable.put(w, Batch{App: app, At: now, Count: b.Count + 1})
}

// Approve lets the next passes prune these nodes in spite of what holds them
// back. Nodes that are not up, wanted, or nobody's are passed over: there is
// nothing to prune. An approval ends when its node is gone or listed again.
func (s *Store) Approve(nodes []Node, now time.Time) error {
	return s.write("approval", func(w *write) error {
		for _, n := range nodes {
			c, _ := connTable.get(w.txn, key(string(n)))
			_, already := approvalTable.get(w.txn, key(string(n)))
			if !already && c.Phase == Up && c.App != "" && !wanted(peerTable.of(w.txn, n)) {
				approvalTable.put(w, Approval{Node: n, At: now})
			}
		}
		return nil
	})
}
