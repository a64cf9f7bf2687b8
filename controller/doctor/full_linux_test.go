package doctor

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFullVolumeIsAFailure(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small volume that this fills")
	}
	w := newWard(t)
	w.data = t.TempDir()
	if err := unix.Mount("ehc-test", w.data, "tmpfs", 0, "size=1048576"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(w.data, unix.MNT_DETACH) })
	w.want(w.examine(""), DataFolder, Failure, "is full, with 1 MiB free: new events are refused", "make room")
}
