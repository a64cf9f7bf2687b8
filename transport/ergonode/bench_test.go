package ergonode_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// event is what an outbox sends: a typical argument.
var event = etf.Map{
	{Key: etf.Atom("event_id"), Value: "01HXABCDEFGHJKMNPQRSTVWXYZ"},
	{Key: etf.Atom("type"), Value: etf.Atom("increment_visit")},
	{Key: etf.Atom("payload"), Value: etf.Map{{Key: "page_id", Value: "/blog/hello-world"}, {Key: "delta", Value: 1}}},
}

func benchPeer(b *testing.B) transport.Conn {
	e := beam.EPMD(b)
	p := peer(b, "a@127.0.0.1", e)
	c := dial(b, start(b, e, nil), p.Name())
	b.ReportAllocs()
	b.ResetTimer()
	return c
}

func BenchmarkCallSequential(b *testing.B) {
	c := benchPeer(b)
	for b.Loop() {
		if _, err := c.Call(context.Background(), "erlang", "hd", etf.List{event}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallPipelined(b *testing.B) {
	for _, window := range []int{64, 256} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			c := benchPeer(b)
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range window {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := c.Call(context.Background(), "erlang", "is_map", event); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
