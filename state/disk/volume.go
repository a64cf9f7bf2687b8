package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// OnRoot says whether the store is on the file system of /, rather than on a
// volume of its own; false if that cannot be found out.
func (db *DB) OnRoot() bool { return onRoot(db.dir) }

func onRoot(dir string) bool {
	var at, root unix.Stat_t
	return unix.Stat(dir, &at) == nil && unix.Stat("/", &root) == nil && at.Dev == root.Dev
}

// IsOnRoot is OnRoot for a folder.
func IsOnRoot(dir string) bool { return onRoot(dir) }

// FreeRoom is how many bytes a folder's volume has for this user, who must be
// allowed to write there.
func FreeRoom(dir string) (int64, error) {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return 0, fmt.Errorf("write in %s: %w", dir, err)
	}
	return free(dir)
}
