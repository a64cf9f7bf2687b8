package disk

import (
	"fmt"
	"os"
)

// ballastSize is how much room the ballast keeps, in bytes: twice what the log
// takes before it is copied back, once for the log and once for the copy.
const ballastSize = 8 << 20

// ballastFile is its name.
const ballastFile = "ehc.ballast"

// ballast is a file that keeps room on the volume, so that what frees room (a
// delete needs log, too) can go on when there is none left. Only the
// committer uses it, and Open before.
type ballast struct {
	path string
	held bool
}

// hold makes the ballast if it is not there and the volume has room for it
// twice. It says whether it is there.
func (b *ballast) hold(dir string) bool {
	if b.held {
		return true
	}
	if fi, err := os.Stat(b.path); err == nil && fi.Size() == ballastSize {
		b.held = true
		return true
	}
	if room, err := free(dir); err != nil || room < 2*ballastSize {
		return false
	}
	if err := fill(b.path, ballastSize); err != nil {
		_ = os.Remove(b.path) // no room after all, or nothing to be done
		return false
	}
	b.held = true
	return true
}

// release gives the room up. It says whether there was any.
func (b *ballast) release() bool {
	b.held = false
	return os.Remove(b.path) == nil
}

// fill writes size zeros, since a file with holes keeps no room.
func fill(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make ballast: %w", err)
	}
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size && err == nil; at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros, at)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
