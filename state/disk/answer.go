package disk

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
)

// answer is the answer to a query, row by row.
type answer struct {
	ctx    context.Context
	r      driver.Rows
	values []driver.Value // of the row
	err    error          // why there is no other; nil at the end
}

// answerOf makes an answer of what the driver returns.
func answerOf(ctx context.Context) func(driver.Rows, error) (*answer, error) {
	return func(r driver.Rows, err error) (*answer, error) {
		if err != nil {
			return nil, err
		}
		return &answer{ctx: ctx, r: r, values: make([]driver.Value, len(r.Columns()))}, nil
	}
}

// next steps to the next row, if there is one.
func (r *answer) next() bool {
	if r.err = r.ctx.Err(); r.err == nil {
		r.err = r.r.Next(r.values)
	}
	more := r.err == nil
	if errors.Is(r.err, io.EOF) {
		r.err = nil
	}
	return more
}

func (r *answer) close() error { return r.r.Close() }

// scan copies the row's columns to where dest points.
func (r *answer) scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("%d columns for %d values", len(r.values), len(dest))
	}
	for i, to := range dest {
		if !assign(to, r.values[i]) {
			return fmt.Errorf("column %d is a %T, which does not fit", i+1, r.values[i]) // to name to would move it to the heap
		}
	}
	return nil
}

// assign says whether a value fits what to points to.
func assign(to any, v driver.Value) (fits bool) {
	switch to := to.(type) {
	case *string:
		*to, fits = v.(string)
	case *[]byte:
		*to, fits = v.([]byte)
	case *int64:
		*to, fits = v.(int64)
	case *int:
		var n int64
		n, fits = v.(int64)
		*to = int(n)
	case *uint64:
		var n int64
		n, fits = v.(int64)
		*to, fits = uint64(n), fits && n >= 0
	case *uint32:
		var n int64
		n, fits = v.(int64)
		*to, fits = uint32(n), fits && 0 <= n && n <= math.MaxUint32
	case **string:
		var s string
		if s, fits = v.(string); fits {
			*to = &s
		} else {
			*to, fits = nil, v == nil
		}
	}
	return fits
}

// values are arguments as the driver takes them.
func values(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		switch n := a.(type) {
		case int:
			a = int64(n)
		case uint64:
			if n > math.MaxInt64 {
				panic("disk: an argument is too large")
			}
			a = int64(n)
		}
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}
