package ergonode

import (
	"slices"
	"testing"
	"time"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/lib"

	"ehc/transport/etf"
)

// benchEvent is an event of the outbox, in our types and in ergo's, with atoms for
// keys throughout: ergo cannot read maps with binaries as keys.
var (
	benchEvent = etf.Map{
		{Key: etf.Atom("event_id"), Value: "01J9ZK3V7Q8XWJ5T2M4N6P8R0S"},
		{Key: etf.Atom("type"), Value: etf.Atom("increment_visit")},
		{Key: etf.Atom("payload"), Value: etf.Map{{Key: etf.Atom("page_id"), Value: "/blog/joining-a-cluster"}, {Key: etf.Atom("delta"), Value: 1}}},
		{Key: etf.Atom("inserted_at"), Value: 1732399200123},
	}
	benchEventErgo = eetf.Map{
		eetf.Atom("event_id"):    []byte("01J9ZK3V7Q8XWJ5T2M4N6P8R0S"),
		eetf.Atom("type"):        eetf.Atom("increment_visit"),
		eetf.Atom("payload"):     eetf.Map{eetf.Atom("page_id"): []byte("/blog/joining-a-cluster"), eetf.Atom("delta"): 1},
		eetf.Atom("inserted_at"): 1732399200123,
	}
)

// BenchmarkETF measures one event here and in ergo's codec, in turns of some hundred
// microseconds. x-ergo is how many times as fast we are, by the median turn of
// each: the target is 3.
func BenchmarkETF(b *testing.B) {
	const round = 500
	wire, err := etf.Append(nil, benchEvent)
	if err != nil {
		b.Fatal(err)
	}
	decoder := etf.NewDecoder(etf.DefaultLimits())
	buf := make([]byte, 0, 1024)
	for _, w := range []struct {
		name       string
		ours, ergo func() error
	}{
		{"encode", func() error {
			_, err := etf.Append(buf, benchEvent)
			return err
		}, func() error {
			out := lib.TakeBuffer()
			defer lib.ReleaseBuffer(out)
			return eetf.Encode(benchEventErgo, out, eetf.EncodeOptions{})
		}},
		{"decode", func() error {
			_, _, err := decoder.Term(wire)
			return err
		}, func() error {
			_, _, err := eetf.Decode(wire, nil, eetf.DecodeOptions{})
			return err
		}},
	} {
		b.Run(w.name, func(b *testing.B) {
			ours, ergo := stopwatch{b: b}, stopwatch{b: b}
			for b.Loop() {
				ours.run(round, w.ours)
				ergo.run(round, w.ergo)
			}
			us, them := float64(ours.median())/round, float64(ergo.median())/round
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(us, "ns/event")
			b.ReportMetric(them, "ergo-ns/event")
			b.ReportMetric(them/us, "x-ergo")
		})
	}
}

// stopwatch keeps how long something takes each time. Turns in which the machine did
// something else in between do not move the median.
type stopwatch struct {
	b     *testing.B
	turns []time.Duration
}

func (s *stopwatch) median() time.Duration {
	slices.Sort(s.turns)
	return s.turns[len(s.turns)/2]
}

func (s *stopwatch) run(times int, f func() error) {
	began := time.Now()
	for range times {
		if err := f(); err != nil {
			s.b.Fatal(err)
		}
	}
	s.turns = append(s.turns, time.Since(began))
}
