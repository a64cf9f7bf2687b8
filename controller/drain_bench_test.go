package controller

import (
	"encoding/json"
	"fmt"
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
// them out: one by one, and in batches. The peer of these figures is the Elixir
// plan's own drain, one erpc call after another from a BEAM to a BEAM, which is
// measured in turns with them: x-beam is our events per second by the BEAM's.
func BenchmarkDrain10000(b *testing.B) {
	peer := drainPeer(b)
	from := beam.Start(b, beam.Options{Name: "from@127.0.0.1", Cookie: "bench", EPMDPort: peer.EPMDPort(), Elixir: true})
	from.Eval(`true = Node.connect(:"peer@127.0.0.1")`)
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
		b.Run(name, func(b *testing.B) { benchDrain(b, c, from, how) })
	}
}

func benchDrain(b *testing.B, c transport.Conn, from *beam.Node, how state.Deliver) {
	const events = 10_000
	db, err := disk.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	limits := state.OutboxSpec{MaxEvents: 1 << 20, MaxBytes: 1 << 30, Remember: 100_000}
	box, err := outbox.Open(b.Context(), db, limits)
	if err != nil {
		b.Fatal(err)
	}
	e := newEffects(Options{Box: box, Log: hclog.NewNullLogger()})
	var rows []outbox.New
	for range 1000 {
		rows = append(rows, outbox.New{App: "a", Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/blog","delta":1}`), InsertedAt: time.Now()})
	}
	var ours, theirs time.Duration
	for b.Loop() {
		began := time.Now()
		from.Eval(drainOneByOne)
		theirs += time.Since(began)
		for range events / len(rows) {
			if _, err := box.Enqueue(b.Context(), rows...); err != nil {
				b.Fatal(err)
			}
		}
		began = time.Now()
		for left := events; left > 0; {
			n, err := e.drain(b.Context(), c, state.App{Name: "a", Deliver: &how})
			if err != nil {
				b.Fatal(err)
			}
			left -= n.delivered
		}
		ours += time.Since(began)
	}
	n := float64(events) * float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/ours.Seconds(), "events/s")
	b.ReportMetric(n/theirs.Seconds(), "beam-events/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-beam")
}

// drainOneByOne is the plan's drain: the event is a term in memory, and nothing is
// written anywhere.
const drainOneByOne = `event = %{event_id: "01J00000000000000000000000", type: :increment_visit,
  payload: %{page_id: "/blog", delta: 1}, inserted_at: DateTime.utc_now()}
for _ <- 1..10_000, do: :ok = :erpc.call(:"peer@127.0.0.1", Bench, :handle, [event], 5000)
:ok`

func drainPeer(b *testing.B) *beam.Node {
	beam.Need(b)
	modules := beam.CompileElixir(b, "testdata/bench.ex")
	return beam.Start(b, beam.Options{Name: "peer@127.0.0.1", Cookie: "bench", Elixir: true, Paths: []string{modules}})
}
