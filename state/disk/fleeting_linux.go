package disk

import "golang.org/x/sys/unix"

// Fleeting says where the store is if that does not outlast the machine or the
// container: "in memory", or "in a container's own layer". It is empty if there is
// no sign of that.
func (db *DB) Fleeting() string { return fleeting(db.dir) }

func fleeting(dir string) string {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return ""
	}
	switch int64(st.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "in memory"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "in a container's own layer"
	}
	return ""
}
