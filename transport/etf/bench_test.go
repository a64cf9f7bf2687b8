package etf_test

import (
	"fmt"
	"testing"

	"ehc/transport/etf"
)

// event is what the outbox sends for one event.
var event = etf.Map{
	{etf.Atom("event_id"), "01J9ZK3V7Q8XWJ5T2M4N6P8R0S"},
	{etf.Atom("type"), etf.Atom("increment_visit")},
	{etf.Atom("payload"), etf.Map{{etf.Atom("page_id"), "/blog/joining-a-cluster"}, {etf.Atom("delta"), 1}}},
	{etf.Atom("inserted_at"), 1732399200123},
}

// broadcast is a message of some 200 entries to all subscribers of a topic.
func broadcast() etf.Term {
	m := etf.Map{}
	for i := range 70 {
		page := fmt.Sprintf("/blog/post-%02d", i)
		m = append(m,
			etf.Pair{Key: page, Value: etf.Map{
				{etf.Atom("visits"), 1000 + i*i}, {etf.Atom("likes"), i}, {etf.Atom("title"), "Post " + page},
			}},
			etf.Pair{Key: etf.Tuple{etf.Atom("count"), page}, Value: 40000 + i},
			etf.Pair{Key: etf.Tuple{etf.Atom("tags"), i}, Value: etf.List{"go", "erlang", etf.Tuple{etf.Atom("ratio"), 0.25}}},
		)
	}
	return etf.Tuple{etf.Atom("forward_to_local"), "metrics:*", m, etf.Atom("Elixir.Phoenix.PubSub")}
}

// control is the control message of a send to a pid.
var control = etf.Tuple{22,
	etf.Pid{Node: "billing@10.0.0.1", ID: 812, Creation: 1732399200},
	etf.Pid{Node: "ehc@10.0.0.2", ID: 5, Creation: 1732399201}}

var workloads = []struct {
	name string
	term etf.Term
}{
	{"control", control}, {"event", event}, {"broadcast", broadcast()},
}

func BenchmarkAppend(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			buf, err := etf.Append(nil, w.term)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if buf, err = etf.Append(buf[:0], w.term); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			buf, err := etf.Append(nil, w.term)
			if err != nil {
				b.Fatal(err)
			}
			d := etf.NewDecoder(etf.DefaultLimits())
			b.ReportAllocs()
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if _, _, err := d.Term(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeNewKeys is the worst case of the table of keys: maps whose
// keys never come again, with the table and without.
func BenchmarkDecodeNewKeys(b *testing.B) {
	for _, keys := range []int{0, etf.DefaultLimits().Keys} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			var bufs [][]byte
			for i := range 200 {
				m := etf.Map{}
				for j := range 200 {
					m = append(m, etf.Pair{Key: fmt.Sprintf("01J9ZK3V7Q8XWJ5T2M4%03d%03d", i, j), Value: 1})
				}
				buf, err := etf.Append(nil, m)
				if err != nil {
					b.Fatal(err)
				}
				bufs = append(bufs, buf)
			}
			d := etf.NewDecoder(etf.Limits{Atoms: 4096, Keys: keys})
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, _, err := d.Term(bufs[i%len(bufs)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkSkip(b *testing.B) {
	buf, err := etf.Append(nil, broadcast())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := etf.Skip(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTypedReaders(b *testing.B) {
	buf, err := etf.Append(nil, control)
	if err != nil {
		b.Fatal(err)
	}
	d := etf.NewDecoder(etf.DefaultLimits())
	b.ReportAllocs()
	for b.Loop() {
		_, rest, err := d.TupleHeader(buf)
		if err != nil {
			b.Fatal(err)
		}
		if _, rest, err = d.Uint(rest); err != nil {
			b.Fatal(err)
		}
		if _, rest, err = d.Pid(rest); err != nil {
			b.Fatal(err)
		}
		if _, _, err = d.Pid(rest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkText(b *testing.B) {
	term := broadcast()
	b.ReportAllocs()
	for b.Loop() {
		etf.Text(term)
	}
}
