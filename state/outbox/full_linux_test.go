package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ehc/state/disk"
)

// Only root can mount the volume: others skip the test, and for root a mount
// that fails is a failure.
func TestAFullVolumeLosesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small volume that this fills")
	}
	ctx, dir := context.Background(), t.TempDir()
	must(t, unix.Mount("ehc-test", dir, "tmpfs", 0, "size=40m"))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	b, _ := openTest(t, dir, roomy)
	first := enqueue(t, b, "billing", 10)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 64<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want a full volume", err)
	}
	big := visit("billing", 1)
	big.Payload = json.RawMessage(`{"x":"` + strings.Repeat("x", 100_000) + `"}`)
	took := len(first)
	var refused New
	for {
		out, err := b.Enqueue(ctx, big)
		if errors.Is(err, disk.ErrFull) {
			refused = out[0].again()
			break
		}
		must(t, err)
		took++
	}
	if n := len(head(t, b, "billing", MaxCall)); n != took || b.Stats()[0].Pending != took {
		t.Errorf("%d events wait, want the %d that were taken", n, took)
	}
	must(t, b.Delivered(ctx, "billing", 5))
	must(t, b.Failed(ctx, "billing", 6, "busy"))
	must(t, b.Bury(ctx, "billing", 6, "HandlerRefused", "no", time.Now()))
	must(t, os.Remove(filler))
	out, err := b.Enqueue(ctx, refused)
	must(t, err)
	if out[0].Seq != uint64(took+1) || out[0].ID != refused.ID {
		t.Errorf("with room again: event %d, want %d", out[0].Seq, took+1)
	}
	if n := len(head(t, b, "billing", MaxCall)); n != took-6+1 {
		t.Errorf("%d events wait, want %d", n, took-6+1)
	}
}

// TestDropEmptiesALongQueueOnAFullVolume: all at once would need more room for its
// log than the ballast has.
func TestDropEmptiesALongQueueOnAFullVolume(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount the small volume that this fills")
	}
	ctx, dir := context.Background(), t.TempDir()
	must(t, unix.Mount("ehc-test", dir, "tmpfs", 0, "size=96m"))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	b, _ := openTest(t, dir, roomy)
	const n = 60_000
	long := make([]New, MaxCall)
	for i := range long {
		long[i] = New{App: "billing", Type: "x", Payload: json.RawMessage(`{"x":"` + strings.Repeat("x", 500) + `"}`)}
	}
	for range n / MaxCall {
		_, err := b.Enqueue(ctx, long...)
		must(t, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 96<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v, want a full volume", err)
	}
	dropped, err := b.Drop(ctx, "billing", n-1)
	must(t, err)
	if s := b.Stats()[0]; dropped != n-1 || s.Pending != 1 || s.Bytes != 508 {
		t.Errorf("%d dropped, left is %+v", dropped, s)
	}
	if err := b.Wait(ctx, "billing", 1); !errors.Is(err, ErrDropped) {
		t.Errorf("the first of them: %v, want ErrDropped", err)
	}
}
