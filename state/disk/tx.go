package disk

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Tx is a transaction while the function that was given it runs; later it is
// of no use. Only that function's goroutine may use it. A query is a constant
// text with ? for each argument, which is an int64, uint64 below 2⁶³, int,
// float64, string, []byte, bool or nil.
type Tx struct {
	ctx    context.Context // for a View, its caller's
	conn   *conn
	dir    string
	wrote  bool
	bytes  int   // of arguments, to bound a group
	broken error // the transaction is lost, whatever the function makes of it

	// What it keeps, what those before it in the commit do, and what earlier commits
	// have left; all are nil in a View.
	own, group, lasting kept
}

// Row is one row of an answer, good until the next one is asked for.
type Row struct {
	tx   *Tx
	rows *answer
	err  error // of the query
	only bool  // it is QueryRow's: Scan steps to it, and ends the query
}

// Exec runs a statement and says how many rows it inserted, changed or deleted.
// In a View it fails.
func (t *Tx) Exec(query string, args ...any) (changed int64, err error) {
	t.bytes += size(args)
	changed, err = t.conn.exec(t.ctx, query, args...)
	t.wrote = t.wrote || changed > 0
	return changed, t.note(err)
}

// Query runs a query and yields its rows, or an error and nothing more. The
// query is over when the loop is; statements on the rows it reads wait until
// then.
func (t *Tx) Query(query string, args ...any) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		rows, err := t.query(query, args)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer func() { _ = rows.close() }() // its error is that of the last step
		for rows.next() {
			if !yield(Row{tx: t, rows: rows}, nil) {
				return
			}
		}
		if rows.err != nil {
			yield(Row{}, t.note(rows.err))
		}
	}
}

// QueryRow runs a query for one row. It must be scanned, once: Scan returns the
// query's error, or ErrNoRow if there is no row.
func (t *Tx) QueryRow(query string, args ...any) Row {
	rows, err := t.query(query, args)
	return Row{tx: t, rows: rows, err: err, only: true}
}

func (t *Tx) query(query string, args []any) (*answer, error) {
	r, err := t.conn.query(t.ctx, query, args...)
	return r, t.note(err)
}

// Scan copies the row's columns to where dest points, in order. A []byte is a
// copy that the caller may keep. A value that does not fit is ErrDamaged, since
// the tables are strict.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if r.only {
		defer func() { _ = r.rows.close() }()
		if !r.rows.next() {
			if r.rows.err != nil {
				return r.tx.note(r.rows.err)
			}
			return ErrNoRow
		}
	}
	if err := r.rows.scan(dest...); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// note classifies err and remembers it if the transaction cannot go on.
func (t *Tx) note(err error) error {
	err = classify(t.dir, err)
	var s *storageError
	if t.broken == nil && errors.As(err, &s) {
		t.broken = err
	}
	return err
}

// size is about how many bytes the arguments add to the log.
func size(args []any) int {
	n := 0
	for _, a := range args {
		switch a := a.(type) {
		case string:
			n += len(a)
		case []byte:
			n += len(a)
		default:
			n += 8
		}
	}
	return n
}
