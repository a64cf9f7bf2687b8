package inbox

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"ehc/state"
)

// BenchmarkHandle1 is one caller, one event and so one flush at a time.
func BenchmarkHandle1(b *testing.B) { benchHandle(b, 1, 1, roomy) }

// BenchmarkHandle64 is 64 callers, whose events share flushes.
func BenchmarkHandle64(b *testing.B) { benchHandle(b, 64, 1, roomy) }

// BenchmarkHandle64Forgetting is the same when each new id makes an old one go.
func BenchmarkHandle64Forgetting(b *testing.B) {
	benchHandle(b, 64, 1, state.InboxSpec{KeepFor: roomy.KeepFor, MaxIDs: 1000})
}

// BenchmarkHandleBatch256 is one caller with 256 events in each call.
func BenchmarkHandleBatch256(b *testing.B) { benchHandle(b, 1, 256, roomy) }

func benchHandle(b *testing.B, callers, each int, limits state.InboxSpec) {
	box, _ := openTest(b, b.TempDir(), limits)
	var left, seq atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			call := make([]Event, each)
			for left.Add(-1) >= 0 {
				for i := range call {
					n := seq.Add(1)
					call[i] = visit(fmt.Sprintf("%026d", n), fmt.Sprint("/", n%100), 1)
					call[i].Source, call[i].Place = "ehc@10.0.0.1", Place{1, uint64(n)}
				}
				if _, err := box.HandleAll(context.Background(), call); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		must(b, <-errs)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "events/s")
}
