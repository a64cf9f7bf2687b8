package disk

import (
	"context"
	"fmt"
)

// When and how the file gives room back to the volume, in pages of 4 KiB.
const (
	shrinkFrom = 1024 // free pages that stay, for what comes next
	shrinkStep = 256  // given back in one commit, so that a write waits for no more
)

// incremental is the mode of SQLite's in which a file can be made shorter.
const incremental = "2"

// makeShrinkable sets that mode in an empty file. It goes into the header with the
// first table; where a replicator has made one, the file is written anew.
func makeShrinkable(ctx context.Context, w *conn) error {
	if _, err := w.exec(ctx, "PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
		return err
	}
	if mode, err := w.pragma(ctx, "auto_vacuum"); err != nil || mode == incremental {
		return err
	}
	return w.script(ctx, "VACUUM")
}

// shrink gives room back while nobody waits to write, until less than half of the
// file is free: a queue that comes and goes finds its pages where they were. It
// moves pages from the end of the file into free ones, in commits like any other;
// the file gets shorter when the log is copied back. What it cannot do now, a later
// call does.
func (c *committer) shrink() {
	ctx := context.Background()
	some := false
	for c.mayHaveRoom() && len(c.queue) == 0 && !c.isStopping() {
		pages, free, err := c.room(ctx)
		if err != nil || free <= c.spare || free < pages/2 {
			c.freed = false
			break
		}
		if err := c.giveBack(ctx, min(shrinkStep, free-c.spare)); err != nil {
			return // the store's next write says what is wrong with the volume
		}
		some = true
	}
	if some {
		_ = c.copyBack(ctx) // if a View is in the way, a later commit does it
	}
}

// mayHaveRoom says whether it is worth a look: after every Free, and now and then,
// since others delete, too.
func (c *committer) mayHaveRoom() bool { return c.freed || c.commits%256 == 0 }

func (c *committer) isStopping() bool {
	select {
	case <-c.stopping:
		return true
	default:
		return false
	}
}

// room is how many pages the file has, and how many of them are free.
func (c *committer) room(ctx context.Context) (pages, free int, err error) {
	for query, n := range map[string]*int{"PRAGMA page_count": &pages, "PRAGMA freelist_count": &free} {
		if err := c.w.one(ctx, query, n); err != nil {
			return 0, 0, err
		}
	}
	return pages, free, nil
}

// giveBack takes n free pages off the end of the file.
func (c *committer) giveBack(ctx context.Context, n int) error {
	_, err := c.w.pragma(ctx, fmt.Sprintf("incremental_vacuum(%d)", n))
	return err
}
