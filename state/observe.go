package state

// Delta is one step of a write: a row as it was and as it is. One of them is nil
// where the row is new, or has left; the other, or both, are values of one type.
type Delta struct {
	Before, After any
}

// Observe sets the function that is told of every write that wakes readers, with
// its steps in order: a row may be among them more than once. It is called once for
// each write, in the order of the writes, just before readers can see it; and first
// of all, before Observe returns, with the rows that are there already, as if they
// were new. It must not block, nor use the store. A Fork tells nobody.
func (s *Store) Observe(tell func(steps []Delta)) {
	w := &write{txn: s.db.Txn(true), keep: true} // no write is under way until it is over
	defer w.txn.Abort()
	queryTable.noteAll(w)
	peerTable.noteAll(w)
	connTable.noteAll(w)
	backlogTable.noteAll(w)
	suspensionTable.noteAll(w)
	s.tell = tell
	if len(w.deltas) > 0 {
		tell(w.deltas)
	}
}

func (t table[T]) noteAll(w *write) {
	for _, row := range t.list(w.txn, "") {
		w.note(nil, row)
	}
}
