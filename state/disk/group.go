package disk

import (
	"context"
	"fmt"
	"time"
)

// Statements of the committer, which have no arguments.
const (
	begin    = "BEGIN IMMEDIATE"
	commit   = "COMMIT"
	rollback = "ROLLBACK"
	save     = "SAVEPOINT one"
	undo     = "ROLLBACK TO one"
	release  = "RELEASE one"
)

// try runs first, and then what next gives it until that is nil or the group is
// full, in one transaction. It returns those it took: with an error, none of
// them has had an effect; else each says in err whether it has.
func (c *committer) try(first *request, next func() *request) (group []*request, err error) {
	// The callers wait for the outcome from here on: there is nothing to cancel.
	ctx := context.Background()
	group = []*request{first}
	if _, err := c.w.exec(ctx, begin); err != nil {
		return group, fmt.Errorf("commit: %w", classify(c.dir, err))
	}
	roomy := c.ballast.hold(c.dir)
	wrote, bytes, shared := false, 0, kept{}
	for {
		r := group[len(group)-1]
		if roomy || r.frees {
			tx := &Tx{ctx: ctx, conn: c.w, dir: c.dir, group: shared, lasting: c.lasting}
			if r.whole {
				tx.own = shared // there is nothing to undo
			}
			if err = c.one(tx, r); err != nil {
				break
			}
			if r.err == nil {
				wrote = wrote || tx.wrote
			}
			if r.err == nil && !r.whole {
				shared.add(tx.own)
			}
			bytes += tx.bytes
			tx.conn = nil
			c.freed = c.freed || r.frees
		} else {
			r.err = fmt.Errorf("%w: its last %d MiB are kept for what makes room, such as deliveries", ErrFull, 2*ballastSize>>20)
		}
		if len(group) == maxGroup || bytes >= maxGroupBytes {
			break
		}
		n := next()
		if n == nil {
			break
		}
		group = append(group, n)
	}
	if err == nil {
		err = shared.writeAll(&Tx{ctx: ctx, conn: c.w, dir: c.dir, group: shared})
	}
	if err == nil && wrote {
		err = c.finish(ctx, len(group))
	}
	if err != nil || !wrote {
		// It fails if SQLite has done it already, and nothing is left to undo.
		_, _ = c.w.exec(ctx, rollback)
	}
	if err != nil {
		return group, fmt.Errorf("commit: %w", classify(c.dir, err))
	}
	c.lasting.addLasting(shared)
	return group, nil
}

// one runs one function. An error of its own undoes what it wrote, and goes
// into r.err; the error returned is one that ends the group.
func (c *committer) one(tx *Tx, r *request) error {
	if r.whole {
		r.err = r.fn(tx)
		if tx.broken == nil && r.err != nil && tx.wrote {
			return fmt.Errorf("one of the group failed halfway: %w", r.err)
		}
		return tx.broken
	}
	if _, err := c.w.exec(tx.ctx, save); err != nil {
		return err
	}
	r.err = r.fn(tx)
	if tx.broken != nil {
		return tx.broken
	}
	if r.err != nil {
		if _, err := c.w.exec(tx.ctx, undo); err != nil {
			return err
		}
	}
	_, err := c.w.exec(tx.ctx, release)
	return err
}

// finish counts the commit, in the store and then beside it, and makes it.
func (c *committer) finish(ctx context.Context, writes int) error {
	if _, err := c.w.exec(ctx, "UPDATE store_mark SET commits = ?", c.commits+1); err != nil {
		return err
	}
	began := time.Now()
	_, err := c.w.exec(ctx, commit)
	c.hear(Commit{Writes: writes, Took: time.Since(began), Err: err})
	if err != nil {
		return err
	}
	c.commits++
	c.mark.write(c.commits)
	return nil
}

// count takes up the commit count where the store or the mark left it, and
// says how many commits the store lacks.
func (c *committer) count(ctx context.Context, marked uint64) (lost uint64, err error) {
	var stored uint64
	if err := c.w.one(ctx, "SELECT commits FROM store_mark", &stored); err != nil {
		return 0, fmt.Errorf("read commit count: %w", err)
	}
	c.commits = max(stored, marked)
	return c.commits - stored, nil
}
