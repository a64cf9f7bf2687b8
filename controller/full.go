package controller

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"ehc/state/disk"
)

// fullWarnings tell of a volume on which no event finds room.
func fullWarnings(dataDir string) []string {
	full, room := disk.IsFull(dataDir)
	if !full {
		return nil
	}
	return []string{fmt.Sprintf("the volume of the data folder %s is full, with %d KiB free: no event is taken until there is room; "+
		"what waits is still delivered", dataDir, room>>10)}
}

// fullness tells the log when the store has begun to refuse events for want of room,
// and when it takes them again, once each. Its method may be called at once.
type fullness struct{ is atomic.Bool }

// saw takes the outcome of an event's way onto the disk.
func (f *fullness) saw(err error, log hclog.Logger) {
	full := errors.Is(err, disk.ErrFull)
	switch {
	case err != nil && !full || f.is.Load() == full || f.is.Swap(full) == full:
	case full:
		log.Error("events are refused: the volume of the data folder is full", "error", err)
	default:
		log.Info("events are taken again: the volume of the data folder has room")
	}
}
