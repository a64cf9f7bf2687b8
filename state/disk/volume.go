package disk

import (
	"fmt"
	"os"
	"path/filepath"

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

// IsFull says whether a store in dir, which need not be there yet, takes nothing but
// what frees room, for want of it, and how many bytes there are. Of a folder of which
// nothing can be found out it is false.
func IsFull(dir string) (full bool, room int64) {
	room, err := free(dir)
	if err != nil {
		return false, 0
	}
	if fi, err := os.Stat(filepath.Join(dir, ballastFile)); err == nil && fi.Size() == ballastSize {
		return room < minRoom, room
	}
	return room < 2*ballastSize, room
}
