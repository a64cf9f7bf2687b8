package outbox

import (
	"context"
	"encoding/json"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ehc/state/disk"
)

// typical is an event with a payload of 200 bytes.
func typical() New {
	return New{App: "billing", Type: "add_comment", Payload: json.RawMessage(`{"text":"` + strings.Repeat("x", 189) + `"}`)}
}

// BenchmarkEnqueue is the 1 producer whose events are on disk one by one, and 64
// that share flushes. x-limit is their events per second by what the engine itself
// can: the same rows, as many in each commit as there are producers, inserted by the
// committing goroutine from what it has at hand; measured in turns.
func BenchmarkEnqueue(b *testing.B) {
	for _, producers := range []int{1, 64} {
		b.Run(strconv.Itoa(producers), func(b *testing.B) { benchEnqueue(b, producers) })
	}
}

func benchEnqueue(b *testing.B, producers int) {
	const rounds = 50 // of each, in turns
	box, limit := newTest(b), newTest(b)
	commits := 0
	box.db.OnCommit(func(disk.Commit) { commits++ })
	var ours, theirs time.Duration
	for b.Loop() {
		began := time.Now()
		var left atomic.Int64
		left.Store(int64(rounds * producers))
		var group sync.WaitGroup
		for range producers {
			group.Go(func() {
				for left.Add(-1) >= 0 {
					if _, err := box.Enqueue(context.Background(), typical()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		ours += time.Since(began)
		began = time.Now()
		for range rounds {
			must(b, limit.db.Write(context.Background(), rowsOf(limit, producers)))
		}
		theirs += time.Since(began)
	}
	n := float64(b.N * rounds * producers)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/ours.Seconds(), "events/s")
	b.ReportMetric(n/theirs.Seconds(), "limit-events/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-limit")
	b.ReportMetric(n/float64(commits), "events/commit")
}

// rowsOf inserts n events and nothing else. Nobody reads them.
func rowsOf(b *Box, n int) func(*disk.Tx) error {
	e := typical()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = b.MintID(time.Now())
	}
	return func(tx *disk.Tx) error {
		for _, id := range ids {
			_, err := tx.Exec(`INSERT INTO outbox_event (app, seq, id, type, payload, inserted_at, crc, queued_at)
				VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM outbox_event WHERE app = 'billing'), ?, ?, ?, ?, ?, ?)`,
				e.App, id, e.Type, []byte(e.Payload), 1, 2, 3)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkEnqueueBatch100 is one producer with 100 events in each call.
func BenchmarkEnqueueBatch100(b *testing.B) {
	box := newTest(b)
	call := make([]New, 100)
	for i := range call {
		call[i] = typical()
	}
	for b.Loop() {
		_, err := box.Enqueue(context.Background(), call...)
		must(b, err)
	}
	perSecond(b, len(call))
}

// BenchmarkDrain reads and strikes out 256 events at a time.
func BenchmarkDrain(b *testing.B) {
	const batch = 256
	box := newTest(b)
	call := make([]New, batch)
	for i := range call {
		call[i] = typical()
	}
	for range b.N {
		_, err := box.Enqueue(context.Background(), call...)
		must(b, err)
	}
	b.ResetTimer()
	for range b.N {
		events := head(b, box, "billing", batch)
		must(b, box.Delivered(context.Background(), "billing", events[batch-1].Seq))
	}
	perSecond(b, batch)
}

func perSecond(b *testing.B, each int) {
	b.StopTimer()
	b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkReopenMillion opens a store in which a million events wait, and reads the
// first. heap-MB is what is held in memory then, which is as much with no backlog.
func BenchmarkReopenMillion(b *testing.B) {
	ctx, dir := context.Background(), b.TempDir()
	box, shut := openTest(b, dir, roomy)
	payload := enqueue(b, box, "billing", 2)[0].Payload
	must(b, box.Delivered(ctx, "billing", 1))
	must(b, box.db.Write(ctx, func(tx *disk.Tx) error { return multiply(tx, len(payload), 1_000_001) }))
	shut()
	var opened time.Duration
	var heap uint64
	for b.Loop() {
		began := time.Now()
		db, err := disk.Open(ctx, dir)
		must(b, err)
		box, err := Open(ctx, db, roomy)
		must(b, err)
		if n := len(head(b, box, "billing", 1)); n != 1 || box.Stats()[0].Pending != 1_000_000 {
			b.Fatalf("%d events, %+v", n, box.Stats())
		}
		opened += time.Since(began)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		heap = m.HeapAlloc
		must(b, db.Close())
	}
	b.ReportMetric(float64(opened.Milliseconds())/float64(b.N), "ms/open")
	b.ReportMetric(float64(heap)/1e6, "heap-MB")
}
