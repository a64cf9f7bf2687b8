package controller

import (
	"encoding/json"
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

// BenchmarkDrain10000 delivers 10,000 events, one by one, to a real Elixir node
// and strikes them out. The peer of this figure is the Elixir plan's own drain:
// one erpc call after another from a BEAM to a BEAM, which
// BenchmarkDrain10000BEAM measures in the same run.
func BenchmarkDrain10000(b *testing.B) {
	const events = 10_000
	peer := drainPeer(b)
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
	db, err := disk.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	box, err := outbox.Open(b.Context(), db, state.OutboxSpec{MaxEvents: 1 << 20, MaxBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	app := state.App{Name: "a", Deliver: &state.Deliver{Module: "Elixir.Bench", Function: "handle", Timeout: 5 * time.Second}}
	e := newEffects(Options{Box: box, Log: hclog.NewNullLogger()})
	var rows []outbox.New
	for range 100 {
		rows = append(rows, outbox.New{App: "a", Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/blog","delta":1}`), InsertedAt: time.Now()})
	}
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		for range events / len(rows) {
			if _, err := box.Enqueue(b.Context(), rows...); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		for left := events; left > 0; {
			n, err := e.drain(b.Context(), c, app)
			if err != nil {
				b.Fatal(err)
			}
			left -= n
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkDrain10000BEAM is the same from a BEAM: the event is a term in memory,
// and nothing is written anywhere.
func BenchmarkDrain10000BEAM(b *testing.B) {
	const events = 10_000
	peer := drainPeer(b)
	from := beam.Start(b, beam.Options{Name: "from@127.0.0.1", Cookie: "bench", EPMDPort: peer.EPMDPort(), Elixir: true})
	from.Eval(`true = Node.connect(:"peer@127.0.0.1")`)
	for b.Loop() {
		from.Eval(`event = %{event_id: "01J00000000000000000000000", type: :increment_visit,
		  payload: %{page_id: "/blog", delta: 1}, inserted_at: DateTime.utc_now()}
		for _ <- 1..10_000, do: :ok = :erpc.call(:"peer@127.0.0.1", Bench, :handle, [event], 5000)
		:ok`)
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func drainPeer(b *testing.B) *beam.Node {
	beam.Need(b)
	modules := beam.CompileElixir(b, "testdata/bench.ex")
	return beam.Start(b, beam.Options{Name: "peer@127.0.0.1", Cookie: "bench", Elixir: true, Paths: []string{modules}})
}
