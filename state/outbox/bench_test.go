package outbox

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
)

// typical is an event with a payload of 200 bytes.
func typical() New {
	return New{App: "billing", Type: "add_comment", Payload: json.RawMessage(`{"text":"` + strings.Repeat("x", 189) + `"}`)}
}

// BenchmarkEnqueue1 is one producer, one event and so one flush at a time.
func BenchmarkEnqueue1(b *testing.B) { benchEnqueue(b, 1) }

// BenchmarkEnqueue64 is 64 producers, whose events share flushes.
func BenchmarkEnqueue64(b *testing.B) { benchEnqueue(b, 64) }

func benchEnqueue(b *testing.B, producers int) {
	box := newTest(b)
	var left atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, producers)
	b.ResetTimer()
	for range producers {
		go func() {
			for left.Add(-1) >= 0 {
				if _, err := box.Enqueue(context.Background(), typical()); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range producers {
		must(b, <-errs)
	}
	perSecond(b, 1)
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
