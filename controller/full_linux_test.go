package controller

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/unix"

	"ehc/state"
	"ehc/state/disk"
)

// TestAFullVolumeIsToldOfAndASuspensionEndsOnIt: a volume on which not a byte is free.
func TestAFullVolumeIsToldOfAndASuspensionEndsOnIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small volume that this fills")
	}
	dir := t.TempDir()
	if err := unix.Mount("ehc-test", dir, "tmpfs", 0, "size=1048576"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	c := &Config{dataDir: dir}
	rows := []state.Suspension{{App: "a"}}
	if err := c.saveSuspended(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 1<<21), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want a full volume", err)
	}
	if w := fullWarnings(dir); len(w) != 1 || !strings.Contains(w[0], dir+" is full, with 0 KiB free: no event is taken") {
		t.Errorf("warnings: %q", w)
	}
	if w := fullWarnings(os.TempDir()); w != nil {
		t.Errorf("of a volume with room: %q", w)
	}
	if err := c.saveSuspended(nil); err != nil {
		t.Errorf("resume: %v", err)
	}
	if rows, err := c.readSuspended(); len(rows) != 0 || err != nil {
		t.Errorf("suspended after a restart: %v, %v", rows, err)
	}
}

func TestTheLogSaysOnceThatEventsAreRefused(t *testing.T) {
	var f fullness
	out := &said{}
	log := hclog.New(&hclog.LoggerOptions{Output: out, DisableTime: true})
	full := fmt.Errorf("enqueue: %w", disk.ErrFull)
	for _, err := range []error{nil, full, full, errors.New("another"), full, nil, nil} {
		f.saw(err, log)
	}
	lines := out.take()
	if len(lines) != 2 || !strings.Contains(lines[0], "events are refused") || !strings.Contains(lines[1], "taken again") {
		t.Errorf("the log: %q", lines)
	}
}
