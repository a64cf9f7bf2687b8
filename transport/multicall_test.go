package transport_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ehc/transport"
)

func TestEachIsBoundedAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const peers = 3*transport.MaxAtOnce + 1
		all := make([]int, peers)
		for i := range all {
			all[i] = i
		}
		var inside, most atomic.Int32
		gate := make(chan struct{})
		odd := errors.New("odd")
		done := make(chan []transport.Result[int], 1)
		go func() {
			done <- transport.Each(t.Context(), all, func(_ context.Context, i int) (int, error) {
				most.Store(max(most.Load(), inside.Add(1)))
				<-gate
				inside.Add(-1)
				if i%2 == 1 {
					return 0, odd
				}
				return 10 * i, nil
			})
		}()
		synctest.Wait() // as many are under way as ever will be
		if n := inside.Load(); n != transport.MaxAtOnce {
			t.Errorf("%d are asked at once", n)
		}
		close(gate)
		for i, r := range <-done {
			if i%2 == 1 && !errors.Is(r.Err, odd) || i%2 == 0 && (r.Value != 10*i || r.Err != nil) {
				t.Errorf("%d: %+v", i, r)
			}
		}
		if most.Load() > transport.MaxAtOnce {
			t.Errorf("%d were asked at once", most.Load())
		}
	})
}

func TestEachAsksNobodyAfterItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		asked := atomic.Int32{}
		done := make(chan []transport.Result[int], 1)
		go func() {
			done <- transport.Each(ctx, make([]int, transport.MaxAtOnce+5), func(ctx context.Context, _ int) (int, error) {
				asked.Add(1)
				<-ctx.Done()
				return 0, ctx.Err()
			})
		}()
		synctest.Wait()
		cancel()
		got := <-done
		if n := asked.Load(); n != transport.MaxAtOnce {
			t.Errorf("%d were asked", n)
		}
		for i, r := range got {
			if !errors.Is(r.Err, context.Canceled) {
				t.Errorf("%d: %v", i, r.Err)
			}
		}
	})
}

func TestEachOfNobody(t *testing.T) {
	got := transport.Each(t.Context(), nil, func(context.Context, int) (int, error) { return 0, nil })
	if len(got) != 0 {
		t.Errorf("%v", got)
	}
}
