package outbox

import (
	"context"
	"runtime"
	"testing"

	"ehc/state/disk"
)

// What Open and the first Head allocate does not depend on how much waits.
func TestALongBacklogIsNotRead(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	const backlog = 100_000
	b, close := openTest(t, dir, roomy)
	enqueue(t, b, "billing", backlog)
	must(t, b.Delivered(ctx, "billing", 1))
	close()

	db, err := disk.Open(ctx, dir)
	must(t, err)
	defer db.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, err = Open(ctx, db, roomy)
	must(t, err)
	first := head(t, b, "billing", 1)[0]
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > backlog {
		t.Errorf("allocated %d bytes for a backlog of %d events", n, backlog)
	}
	if s := b.Stats()[0]; s.Pending != backlog-1 || !s.Oldest.Equal(first.InsertedAt) || first.Seq != 2 {
		t.Errorf("the queue is %+v, and begins with event %d", s, first.Seq)
	}
	if e := enqueue(t, b, "billing", 1)[0]; e.Seq != backlog+1 {
		t.Errorf("the next event is number %d, want %d", e.Seq, backlog+1)
	}
}
