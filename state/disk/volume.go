package disk

import "golang.org/x/sys/unix"

// OnRoot says whether the store is on the file system of /, rather than on a
// volume of its own; false if that cannot be found out.
func (db *DB) OnRoot() bool { return onRoot(db.dir) }

func onRoot(dir string) bool {
	var at, root unix.Stat_t
	return unix.Stat(dir, &at) == nil && unix.Stat("/", &root) == nil && at.Dev == root.Dev
}
