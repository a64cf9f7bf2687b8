package disk

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// restartLimit is how long writes wait for the Views that keep the log from beginning
// anew, each time that it has become twice as long.
const restartLimit = 250 * time.Millisecond

// copyBack copies the log into the file, as far as no View is in the way.
func (c *committer) copyBack(ctx context.Context) error {
	_, err := c.w.pragma(ctx, "wal_checkpoint(PASSIVE)")
	return err
}

// shorten lets a long log begin anew. SQLite does it by itself at the first commit at
// which all of the log is in the file and no View reads it: with Views that overlap
// that may be never, while each commit copies back what it can.
func (c *committer) shorten() {
	fi, err := os.Stat(filepath.Join(c.dir, "ehc.db-wal"))
	if err != nil {
		return
	}
	size := fi.Size()
	if size <= ballastSize {
		c.longLog = ballastSize
	}
	if size <= c.longLog {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.restart)
	defer cancel()
	if busy, err := c.w.pragma(ctx, "wal_checkpoint(RESTART)"); err != nil || busy != "0" {
		c.longLog = 2 * size // a View that dallies, or a replicator, must not hold up every commit
	}
}
