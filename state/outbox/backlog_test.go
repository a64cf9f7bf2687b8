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
	const backlog = 20_000
	b, close := openTest(t, dir, roomy)
	payload := enqueue(t, b, "billing", 2)[0].Payload
	must(t, b.Delivered(ctx, "billing", 1))
	must(t, b.db.Write(ctx, func(tx *disk.Tx) error { return multiply(tx, len(payload), backlog) }))
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
	if n := after.TotalAlloc - before.TotalAlloc; n > 5*backlog {
		t.Errorf("allocated %d bytes for a backlog of %d events", n, backlog)
	}
	if s := b.Stats()[0]; s.Pending != backlog-1 || !s.Oldest.Equal(first.InsertedAt) || first.Seq != 2 {
		t.Errorf("the queue is %+v, and begins with event %d", s, first.Seq)
	}
	if e := enqueue(t, b, "billing", 1)[0]; e.Seq != backlog+1 {
		t.Errorf("the next event is number %d, want %d", e.Seq, backlog+1)
	}
}

// multiply continues billing's queue, of which the second event alone waits,
// up to n. Nobody reads the rows, so their checksums are not worth the time.
func multiply(tx *disk.Tx, size, n int) error {
	_, err := tx.Exec(`WITH RECURSIVE seqs (s) AS (SELECT 3 UNION ALL SELECT s + 1 FROM seqs WHERE s < ?)
		INSERT INTO outbox_event (app, seq, id, type, payload, inserted_at, crc)
		SELECT app, s, printf('%026d', s), type, payload, inserted_at, 0
		FROM seqs, outbox_event WHERE app = 'billing' AND seq = 2`, n)
	if err != nil {
		return err
	}
	r, _, err := load(tx, "billing")
	if err != nil {
		return err
	}
	r.next, r.bytes = uint64(n+1), int64(size)*int64(n-1)
	return r.write(tx, "billing")
}
