package controller

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest/beam"
)

// BenchmarkDrain10000 delivers 10,000 events to a real Elixir node and strikes
// them out: one by one, and in batches. The measure is the Elixir plan's own drain of
// as many events in memory, one erpc call after another from a BEAM to a BEAM, in
// turns with ours: x-plan is our events per second by the plan's.
func BenchmarkDrain10000(b *testing.B) {
	peer, plan := benchBEAMs(b)
	node, err := ergonode.Start(b.Context(), ergonode.Options{
		Name: "bench@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie("bench")}, EPMDPort: uint16(peer.EPMDPort()),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer node.Stop()
	c, err := node.Dial(b.Context(), transport.Target{Node: peer.Name()})
	if err != nil {
		b.Fatal(err)
	}
	for _, batch := range []int{0, 256, 1000} {
		name := fmt.Sprintf("batch_of_%d", batch)
		how := state.Deliver{Module: "Elixir.Bench", Function: "handle", MaxBatch: batch, Timeout: 5 * time.Second}
		if batch == 0 {
			name = "each"
		} else {
			how.Batch = state.Function{Module: "Elixir.Bench", Name: "handles"}
		}
		b.Run(name, func(b *testing.B) { benchDrain(b, c, plan, how) })
	}
}

// BenchmarkEnqueueAgainstThePlan puts events on disk, in calls of 100. The measure is
// the Elixir plan's Outbox.enqueue, which puts them into memory, one in each call, by
// as many processes as we have producers, in turns with ours.
func BenchmarkEnqueueAgainstThePlan(b *testing.B) {
	_, plan := benchBEAMs(b)
	for _, producers := range []int{1, 64} {
		b.Run(fmt.Sprintf("producers_%d", producers), func(b *testing.B) { benchEnqueue(b, plan, producers) })
	}
}

func benchEnqueue(b *testing.B, plan *beam.Node, producers int) {
	const events, each = 64_000, 100
	box := benchBox(b)
	var ours, theirs time.Duration
	for b.Loop() {
		theirs += planTook(b, plan, fmt.Sprintf("Bench.Plan.fill(%d, %d)", events, producers))
		plan.Eval("Bench.Plan.clear()")
		began := time.Now()
		var group sync.WaitGroup
		for range producers {
			group.Go(func() {
				for range events / each / producers {
					if _, err := box.Enqueue(b.Context(), visits(each)...); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		ours += time.Since(began)
	}
	againstThePlan(b, events, ours, theirs)
}

func benchDrain(b *testing.B, c transport.Conn, plan *beam.Node, how state.Deliver) {
	const events = 10_000
	box := benchBox(b)
	e := newEffects(Options{Box: box, Log: hclog.NewNullLogger()})
	var ours, theirs time.Duration
	for b.Loop() {
		plan.Eval(fmt.Sprintf("Bench.Plan.fill(%d, 1)", events))
		theirs += planTook(b, plan, `Bench.Plan.drain(:"peer@127.0.0.1")`)
		for left := events; left > 0; left -= 1000 {
			if _, err := box.Enqueue(b.Context(), visits(1000)...); err != nil {
				b.Fatal(err)
			}
		}
		began := time.Now()
		for left := events; left > 0; {
			n, err := e.drain(b.Context(), c, state.App{Name: "a", Deliver: &how})
			if err != nil {
				b.Fatal(err)
			}
			left -= n.delivered
		}
		ours += time.Since(began)
	}
	againstThePlan(b, events, ours, theirs)
}

func againstThePlan(b *testing.B, events int, ours, theirs time.Duration) {
	n := float64(events) * float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/ours.Seconds(), "events/s")
	b.ReportMetric(n/theirs.Seconds(), "plan-events/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-plan")
}

// planTook evaluates what returns microseconds.
func planTook(b *testing.B, plan *beam.Node, code string) time.Duration {
	b.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(plan.Eval(code)))
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(n) * time.Microsecond
}

func benchBox(b *testing.B) *outbox.Box {
	b.Helper()
	db, err := disk.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	box, err := outbox.Open(b.Context(), db, state.OutboxSpec{MaxEvents: 1 << 30, MaxBytes: 1 << 40, Remember: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	return box
}

// visits are n events as the plan's bench has them.
func visits(n int) []outbox.New {
	rows := make([]outbox.New, n)
	for i := range rows {
		rows[i] = outbox.New{App: "a", Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/blog","delta":1}`)}
	}
	return rows
}

// benchBEAMs are the peer that takes events, and the node that runs the plan.
func benchBEAMs(b *testing.B) (peer, plan *beam.Node) {
	b.Helper()
	beam.Need(b)
	paths := []string{beam.CompileElixir(b, "testdata/bench.ex")}
	peer = beam.Start(b, beam.Options{Name: "peer@127.0.0.1", Cookie: "bench", Elixir: true, Paths: paths})
	plan = beam.Start(b, beam.Options{Name: "plan@127.0.0.1", Cookie: "bench", EPMDPort: peer.EPMDPort(), Elixir: true, Paths: paths})
	plan.Eval(`true = Node.connect(:"peer@127.0.0.1")`)
	plan.Eval(`{:ok, _} = Bench.Plan.start(1_000_000)`)
	return peer, plan
}
