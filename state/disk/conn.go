package disk

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// maxStatements bounds how many prepared statements a connection keeps. Every
// query in ehc is a constant, so there are far fewer.
const maxStatements = 128

// conn is one SQLite connection with its prepared statements. One goroutine
// uses it at a time. It is the driver's own: what [database/sql] has on top is for
// sharing connections, and takes a quarter of the time in which an event is read.
type conn struct {
	c     driver.Conn
	stmts map[string]driver.Stmt
}

// connect opens one connection to the database file at path, an absolute path,
// with the given pragmas set, each as "name(value)".
func connect(path string, pragmas ...string) (*conn, error) {
	// fdatasync flushes all that is needed to read the file back. The library
	// cannot do it everywhere, and falls back to fsync.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&" + url.Values{"_pragma": pragmas}.Encode()}).String()
	c, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &conn{c: c, stmts: map[string]driver.Stmt{}}, nil
}

// prepare returns the statement for query, from memory if it can.
func (c *conn) prepare(ctx context.Context, query string) (driver.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.c.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStatements {
		return nil, errors.Join(fmt.Errorf("more than %d different queries", maxStatements), s.Close())
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement and says how many rows it changed.
func (c *conn) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(ctx, values(args))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query runs a query.
func (c *conn) query(ctx context.Context, query string, args ...any) (*answer, error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return answerOf(ctx)(s.(driver.StmtQueryContext).QueryContext(ctx, values(args)))
}

// one runs a query for one row and copies its columns to dest.
func (c *conn) one(ctx context.Context, query string, dest ...any) error {
	r, err := c.query(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }()
	if !r.next() {
		return errors.Join(r.err, ErrNoRow)
	}
	return r.scan(dest...)
}

// script runs the statements of a text, which nobody runs again.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

// pragma reads a pragma's value as text. It goes through all of its rows, with some
// of which it does its work.
func (c *conn) pragma(ctx context.Context, name string) (string, error) {
	r, err := answerOf(ctx)(c.c.(driver.QueryerContext).QueryContext(ctx, "PRAGMA "+name, nil))
	if err != nil {
		return "", fmt.Errorf("pragma %s: %w", name, err)
	}
	defer func() { _ = r.close() }()
	value := ""
	for r.next() {
		if len(r.values) > 0 {
			value = strings.ToLower(fmt.Sprint(r.values[0]))
		}
	}
	if r.err != nil {
		return "", fmt.Errorf("pragma %s: %w", name, r.err)
	}
	return value, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}
