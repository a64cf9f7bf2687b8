package state

import (
	"fmt"

	"github.com/hashicorp/go-memdb"
)

// Store is the controller's memory. It is safe for concurrent use: writers take
// turns, and nobody waits for a reader.
//
// Rows are values: what goes in and what comes out are copies, except that the
// slices and pointers in an App are shared and must not be changed.
//
// Every method that writes does it in one transaction, which keeps these true:
//
//   - A peer row belongs to an app row; one that lists its node, with a zero
//     GoneSince, also to a query row, and that query has been answered.
//   - A peer row with GoneSince set has a connection that is up or being
//     dialled; when that is over, the row leaves.
//   - A conn row has an App if and only if a peer row has its node, and an app
//     that wants the node comes before one that does not. Without an App it is up.
//   - A removed app has peer rows and no query rows.
//   - An approval is for a node that is up, claimed and not wanted.
//   - Only a connection that is up is Busy.
//   - A pubsub row is of a node that is up.
//
// What holds of apps and nodes, RecordConditions, is the one write that wakes
// nobody and moves no index: it follows from the other rows.
type Store struct {
	db   *memdb.MemDB
	tell func([]Delta) // see Observe; nil: nobody is told. Read and written inside a write
}

// New returns an empty store. Its index is 1.
func New() (*Store, error) {
	db, err := memdb.NewMemDB(schema())
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s := &Store{db: db}
	txn := db.Txn(true)
	defer txn.Abort()
	if err := txn.Insert(momentTable.name, moment{Index: 1, Version: 1}); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	txn.Commit()
	return s, nil
}

// Fork returns a copy that shares no later change with s, to ask what would be
// if something were so. It costs the same however much is in s. Waiting on a
// snapshot of a fork sees no change; it ends at its wake time or with its
// context.
func (s *Store) Fork() (*Store, error) { return &Store{db: s.db.Snapshot()}, nil }

// Snapshot returns the store as it is now. It costs the same however much is in
// the store.
func (s *Store) Snapshot() Snapshot { return Snapshot{txn: s.db.Txn(false)} }

// write runs change in one transaction, which is committed if it changed
// something and change returns nil.
func (s *Store) write(what string, change func(*write) error) error {
	w := &write{txn: s.db.Txn(true), keep: s.tell != nil}
	defer w.txn.Abort()
	err := change(w)
	if err == nil {
		err = w.err
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", what, err)
	}
	if !w.changed {
		return nil
	}
	if w.quiet {
		w.txn.Commit()
		return nil
	}
	now := w.moment()
	now.Version++
	now.Generation = max(now.Generation, w.generation)
	if w.moved {
		now.Index++
	}
	if err := w.txn.Insert(momentTable.name, now); err != nil {
		return fmt.Errorf("record %s: %w", what, err)
	}
	if s.tell != nil {
		s.tell(w.deltas)
	}
	w.txn.Commit()
	return nil
}

// write is one transaction that writes.
type write struct {
	txn     *memdb.Txn
	changed bool  // something is different
	moved   bool  // something that a reviewed plan depends on is different
	quiet   bool  // what is different is no reason to wake anybody
	keep    bool  // somebody wants the deltas
	err     error // the first; nothing is written after it, and nothing committed

	generation uint64 // of a new file in force
	deltas     []Delta
}

func (w *write) note(before, after any) {
	if w.keep {
		w.deltas = append(w.deltas, Delta{Before: before, After: after})
	}
}

// put writes row, if it differs from the one with its key.
func (t table[T]) put(w *write, row T) {
	old, had := t.get(w.txn, t.key(row))
	if w.err != nil || had && t.same(old, row) {
		return
	}
	w.changed = true
	w.moved = w.moved || !t.same(t.plain(old), t.plain(row))
	w.err = w.txn.Insert(t.name, row)
	if had {
		w.note(old, row)
	} else {
		w.note(nil, row)
	}
}

// remove takes row out, which must be in.
func (t table[T]) remove(w *write, row T) {
	if w.err != nil {
		return
	}
	var none T
	w.changed = true
	w.moved = w.moved || !t.same(t.plain(row), t.plain(none))
	w.err = w.txn.Delete(t.name, row)
	w.note(row, nil)
}

// get returns the row with this key, or a zero row and false.
func (t table[T]) get(txn *memdb.Txn, k string) (T, bool) {
	row, err := txn.First(t.name, byKey, k)
	if err != nil {
		panic(fmt.Sprintf("state: table %s is not as its schema says: %v", t.name, err))
	}
	r, ok := row.(T)
	return r, ok
}

// list returns the rows whose key begins with prefix, ordered by key.
func (t table[T]) list(txn *memdb.Txn, prefix string) []T {
	return t.collect(txn, byKey+"_prefix", prefix)
}

// of returns the rows of one node, ordered by key.
func (t table[T]) of(txn *memdb.Txn, n Node) []T {
	return t.collect(txn, byNode, key(string(n)))
}

// collect reads to the end before anything is written: an iterator does not
// survive a change to its table.
func (t table[T]) collect(txn *memdb.Txn, index, k string) []T {
	it, err := txn.Get(t.name, index, k)
	if err != nil {
		panic(fmt.Sprintf("state: table %s is not as its schema says: %v", t.name, err))
	}
	var found []any // grown first, because a row is many times larger
	for row := it.Next(); row != nil; row = it.Next() {
		found = append(found, row)
	}
	if found == nil {
		return nil
	}
	rows := make([]T, len(found))
	for i, row := range found {
		rows[i] = row.(T)
	}
	return rows
}

func (w *write) moment() moment {
	now, _ := momentTable.get(w.txn, key("now"))
	return now
}
