package disk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"modernc.org/sqlite" // also registers the driver
)

// maxStatements bounds how many prepared statements a connection keeps. Every
// query in ehc is a constant, so there are far fewer.
const maxStatements = 128

// conn is one SQLite connection with its prepared statements. One goroutine
// uses it at a time.
type conn struct {
	pool  *sql.DB // holds nothing but c
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

// connect opens one connection to the database file at path, an absolute path,
// with the given pragmas set, each as "name(value)".
func connect(ctx context.Context, path string, pragmas ...string) (*conn, error) {
	// fdatasync flushes all that is needed to read the file back. The library
	// cannot do it everywhere, and falls back to fsync.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&" + url.Values{"_pragma": pragmas}.Encode()}).String()
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), pool.Close())
	}
	return &conn{pool: pool, c: c, stmts: map[string]*sql.Stmt{}}, nil
}

// prepare returns the statement for query, from memory if it can.
func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStatements {
		return nil, errors.Join(fmt.Errorf("more than %d different queries", maxStatements), s.Close())
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement that has neither arguments nor an outcome.
func (c *conn) exec(ctx context.Context, query string) error {
	s, err := c.prepare(ctx, query)
	if err == nil {
		_, err = s.ExecContext(ctx)
	}
	return err
}

// pragma reads a pragma's value as text.
func (c *conn) pragma(ctx context.Context, name string) (string, error) {
	var value string
	if err := c.c.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value); err != nil {
		return "", fmt.Errorf("pragma %s: %w", name, err)
	}
	return strings.ToLower(value), nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close(), c.pool.Close())...)
}
