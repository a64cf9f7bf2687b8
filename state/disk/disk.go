package disk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// readers is how many Views read at once; more of them wait.
const readers = 4

// DB is an open store. All its methods may be called at once.
type DB struct {
	dir  string
	lock *os.File
	lost uint64
	cut  Cut

	committer *committer
	readers   chan *conn // those not in use

	mu     sync.Mutex
	views  sync.WaitGroup // added to under mu, while not closed
	closed bool
}

// Open opens the store in dir, which it makes (0700) if need be, replays what
// a crash left in the log, and migrates the file to this version. ctx bounds
// the opening, not the store.
//
// It returns a *HeldError while another Open of it lives, in this process or
// another; ErrNewer or ErrDamaged for a file that is not this version's to
// touch; ErrFull if there is no room even with the ballast given up. The caller
// closes the DB.
func Open(ctx context.Context, dir string) (*DB, error) {
	return open(ctx, dir, steps())
}

func open(ctx context.Context, dir string, steps []string) (*DB, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	l, err := lock(filepath.Join(dir, "ehc.lock"))
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db := &DB{dir: dir, lock: l, readers: make(chan *conn, readers)}
	b := &ballast{path: filepath.Join(dir, ballastFile)}
	err = db.openFiles(ctx, b, steps)
	// A store that filled its volume must open, or nothing will ever empty it.
	if errors.Is(err, ErrFull) && b.release() {
		err = db.closeFiles()
		db.committer = nil
		if err == nil {
			err = db.openFiles(ctx, b, steps)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), db.closeFiles(), l.Close())
	}
	b.hold(dir)
	go db.committer.run()
	return db, nil
}

// openFiles opens all but the lock. What it opened before an error is for
// closeFiles to close.
func (db *DB) openFiles(ctx context.Context, b *ballast, steps []string) error {
	path := filepath.Join(db.dir, "ehc.db")
	if err := errors.Join(touch(path), flush(path+"-wal")); err != nil {
		return classifyOS(err)
	}
	var err error
	if db.cut, err = survey(path + "-wal"); err != nil {
		return classifyOS(err)
	}
	w, err := connect(path, "busy_timeout(5000)", "synchronous(FULL)", "fullfsync(1)",
		"cache_size(-4096)", "temp_store(MEMORY)", "trusted_schema(0)", "cell_size_check(1)")
	if err != nil {
		return classify(db.dir, err)
	}
	m, marked, err := openMark(filepath.Join(db.dir, "ehc.mark"))
	if err != nil {
		return errors.Join(classifyOS(err), w.close())
	}
	db.committer = newCommitter(db.dir, w, m, b)
	if err := prepare(ctx, w, steps); err != nil {
		return classify(db.dir, err)
	}
	if shrinks, err := w.pragma(ctx, "auto_vacuum"); err != nil || shrinks != incremental {
		db.committer.spare = math.MaxInt // a file of an early ehc
	}
	if db.lost, err = db.committer.count(ctx, marked); err != nil {
		return classify(db.dir, err)
	}
	for range readers {
		r, err := connect(path, "busy_timeout(5000)", "query_only(1)", "cache_size(-1024)", "trusted_schema(0)")
		if err != nil {
			return classify(db.dir, err)
		}
		db.readers <- r
	}
	return nil
}

// prepare checks the file and makes it a store of this version, in WAL mode.
func prepare(ctx context.Context, w *conn, steps []string) error {
	done, err := check(ctx, w, len(steps))
	if err != nil {
		return err
	}
	if done == 0 {
		if err := makeShrinkable(ctx, w); err != nil {
			return err
		}
	}
	// Asking for WAL is not getting it: a network file system may refuse.
	mode, err := w.pragma(ctx, "journal_mode(WAL)")
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %s, want wal: is this a local file system?", mode)
	}
	// A log that begins anew is made no longer than this.
	if _, err := w.pragma(ctx, fmt.Sprintf("journal_size_limit(%d)", ballastSize)); err != nil {
		return err
	}
	return migrate(ctx, w, steps, done)
}

// Lost is how many commits at the end of the store are missing, though they
// were made: the log or the file is damaged, or is an older copy. Open finds
// it, and every later one does until there has been a commit.
func (db *DB) Lost() uint64 { return db.lost }

// Cut is what Open found at the end of the log that is no whole commit, and left
// out. A crash while a commit is written leaves that: nobody was told that it was
// durable. More than one commit record in it is no crash's doing: see Cut.
func (db *DB) Cut() Cut { return db.cut }

// Close refuses new work, waits for the commit under way and the Views, and
// closes the files. Writes that are still queued get ErrClosed and have no
// effect. A second Close does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	already := db.closed
	db.closed = true
	db.mu.Unlock()
	if already {
		return nil
	}
	db.committer.stop()
	db.views.Wait()
	return errors.Join(db.closeFiles(), db.lock.Close())
}

// closeFiles closes the readers first: the last connection to close copies the
// log back and removes it, and a reader may not.
func (db *DB) closeFiles() error {
	var errs []error
	for len(db.readers) > 0 {
		errs = append(errs, (<-db.readers).close())
	}
	if db.committer != nil {
		errs = append(errs, db.committer.w.close(), db.committer.mark.close())
	}
	return errors.Join(errs...)
}

// touch makes the file, for its owner only; SQLite gives its other files the
// same rights. The folder is flushed, or a power cut may take the name.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return flushFolder(filepath.Dir(path))
}

// flush makes what a killed process wrote to the log, but had not flushed yet,
// as durable as what it had: SQLite is about to replay either.
func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
