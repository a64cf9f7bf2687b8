package disk

import (
	"context"
	"errors"
	"fmt"
)

// Write runs fn in a transaction and commits it, in one flush with others that
// come at about the same time; fn sees what those before it in the group wrote.
// If fn returns an error, what it wrote is undone, that of the others is not,
// and Write returns the error as it is.
//
// fn runs on the one committing goroutine: it must be short, do no I/O of its
// own, and neither Write nor View. If ctx ends while the write is queued, fn
// does not run; once it runs, Write returns its outcome whatever ctx says.
//
// Any other error says that nothing of the group is in the store, except that
// a crash right after may bring it back: ErrFull, ErrClosed, or what the device
// or another program that holds the file has to say.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.committer.do(ctx, &request{fn: fn})
}

// WriteWhole is Write for a function that returns an error only if it has changed
// nothing, such as one with a single statement that writes. It costs less, since
// nothing has to be ready to undo it. If it does return an error all the same, all
// of its group comes to nothing and gets the error.
func (db *DB) WriteWhole(ctx context.Context, fn func(*Tx) error) error {
	return db.committer.do(ctx, &request{fn: fn, whole: true})
}

// Free is Write for a function that makes room, by deleting rows. When the
// volume is full, its group comes to nothing and fn runs a second time, with
// the room that the ballast keeps. From then on Write returns ErrFull until
// the volume has room for the ballast again, which the next write finds out.
func (db *DB) Free(ctx context.Context, fn func(*Tx) error) error {
	return db.committer.do(ctx, &request{fn: fn, frees: true})
}

// View runs fn with a view of the store as it is at fn's first query, which no
// write changes. At most four run at once; more wait, as long as ctx lets
// them. The log cannot be copied back past a view, so fn must not dally. When
// ctx ends, fn's query fails.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	if !db.enter() {
		return ErrClosed
	}
	defer db.views.Done()
	var r *conn
	select {
	case r = <-db.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { db.readers <- r }()
	// The driver calls a BEGIN failed at whose end ctx has ended, though it has begun:
	// the reader could never begin again.
	whole := context.WithoutCancel(ctx)
	if _, err := r.exec(whole, "BEGIN"); err != nil {
		return fmt.Errorf("view: %w", classify(db.dir, err))
	}
	tx := &Tx{ctx: ctx, conn: r, dir: db.dir}
	err := fn(tx)
	tx.conn = nil
	_, rerr := r.exec(whole, rollback)
	if err == nil && rerr != nil {
		return fmt.Errorf("view: %w", classify(db.dir, rerr))
	}
	if cerr := ctx.Err(); err != nil && cerr != nil && !errors.Is(err, cerr) {
		return errors.Join(cerr, err) // SQLite only says "interrupted"
	}
	return err
}

// enter counts a View, unless the store is closed.
func (db *DB) enter() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return false
	}
	db.views.Add(1)
	return true
}
