package disk

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What callers branch on, by errors.Is.
var (
	// ErrHeld says that the store is open elsewhere; it is a *HeldError.
	ErrHeld = errors.New("store is in use")
	// ErrFull says that the volume has no room. Reads go on; writes work again
	// once there is room, without a new Open.
	ErrFull = errors.New("no space left for the store")
	// ErrDamaged says that the file is not, or no longer, a sound store.
	ErrDamaged = errors.New("store is damaged")
	// ErrNewer says that a later version of ehc has migrated the file.
	ErrNewer = errors.New("store belongs to a newer ehc")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("store is closed")
	// ErrNoRow says that a query for one row found none.
	ErrNoRow = errors.New("no such row")
)

// HeldError says who has the store open.
type HeldError struct {
	Path string // the lock file
	PID  int    // 0: not known
}

// Error names the file and, if known, the process.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s: %v", e.Path, ErrHeld)
	}
	return fmt.Sprintf("%s: %v by process %d", e.Path, ErrHeld, e.PID)
}

// Unwrap makes a HeldError an ErrHeld.
func (e *HeldError) Unwrap() error { return ErrHeld }

// storageError is an error after which SQLite may have given up the whole
// transaction, not only the statement.
type storageError struct{ kind, cause error }

func (e *storageError) Error() string {
	if e.kind == nil {
		return e.cause.Error()
	}
	return e.kind.Error() + ": " + e.cause.Error()
}

func (e *storageError) Unwrap() []error { return []error{e.kind, e.cause} }

// classify gives an error of SQLite the kind that callers branch on. Errors of
// one statement alone, such as a constraint, come back as they are.
func classify(dir string, err error) error {
	var done *storageError
	var e *sqlite.Error
	if errors.As(err, &done) || !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return &storageError{ErrFull, err}
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &storageError{ErrDamaged, err}
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		// The shared-memory file has no error of its own for a full volume.
		if room, ferr := free(dir); ferr == nil && room < minRoom {
			return &storageError{ErrFull, err}
		}
		return &storageError{nil, err}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL:
		return &storageError{nil, err}
	}
	return err
}

// minRoom is the room in bytes below which a volume counts as full: less than
// the smallest file that SQLite must make.
const minRoom = 64 << 10

// free is how much room the volume of dir has for this user, in bytes.
func free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// classifyOS is classify for an error of the operating system.
func classifyOS(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return &storageError{ErrFull, err}
	}
	return err
}
