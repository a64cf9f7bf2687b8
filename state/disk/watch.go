package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Commit is one commit, made or failed.
type Commit struct {
	Writes int           // that it was for
	Took   time.Duration // to write the log and to flush it
	Err    error         // nil: they are durable
}

// OnCommit sets the function that hears of every commit. It is called by the
// committing goroutine, before those that wait for the commit are told: it must be
// quick, and not use the store.
func (db *DB) OnCommit(hear func(Commit)) { db.committer.heard.Store(&hear) }

func (c *committer) hear(what Commit) {
	if hear := c.heard.Load(); hear != nil {
		(*hear)(what)
	}
}

// Ping returns nil if the committing goroutine takes a write, can begin a
// transaction and can end it. It writes nothing, so it works on a full volume.
func (db *DB) Ping(ctx context.Context) error {
	return db.committer.do(ctx, &request{fn: func(*Tx) error { return nil }, frees: true})
}

// Size is what the store takes, and what its volume has, in bytes.
type Size struct {
	Store     int64 // the file and its log
	Volume    int64
	Available int64 // on the volume, to this process
}

// Size measures the files and the volume.
func (db *DB) Size() (Size, error) {
	var at unix.Statfs_t
	if err := unix.Statfs(db.dir, &at); err != nil {
		return Size{}, fmt.Errorf("measure %s: %w", db.dir, err)
	}
	block := int64(at.Bsize) //nolint:unconvert // it has another type elsewhere
	s := Size{Volume: int64(at.Blocks) * block, Available: int64(at.Bavail) * block}
	for _, name := range []string{"ehc.db", "ehc.db-wal"} {
		if fi, err := os.Stat(filepath.Join(db.dir, name)); err == nil {
			s.Store += fi.Size()
		}
	}
	return s, nil
}
