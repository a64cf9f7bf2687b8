package ergonode_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// rival does from a BEAM what the benchmarks do from here: one:run calls one at a
// time, many with so many processes, and window with so many requests of one
// process under way. Each takes N and gives nanoseconds.
const rival = `
-module(rival).
-export([one/2, many/3, window/3]).

args() -> [#{event_id => <<"01HXABCDEFGHJKMNPQRSTVWXYZ">>, type => increment_visit,
             payload => #{<<"page_id">> => <<"/blog/hello-world">>, <<"delta">> => 1}}].

timed(F) ->
    From = erlang:monotonic_time(nanosecond),
    F(),
    erlang:monotonic_time(nanosecond) - From.

one(Node, N) -> timed(fun() -> one(Node, N, args()) end).
one(_, 0, _) -> ok;
one(Node, N, Args) -> true = erpc:call(Node, erlang, is_map, Args), one(Node, N - 1, Args).

many(Node, N, Callers) ->
    timed(fun() ->
        Ps = [spawn_monitor(fun() -> one(Node, N div Callers, args()) end) || _ <- lists:seq(1, Callers)],
        [receive {'DOWN', R, process, P, normal} -> ok end || {P, R} <- Ps]
    end).

window(Node, N, Size) ->
    timed(fun() -> slide(Node, N - Size, queue:from_list([ask(Node, args()) || _ <- lists:seq(1, Size)]), args()) end).

ask(Node, Args) -> erpc:send_request(Node, erlang, is_map, Args).

slide(Node, N, Q, Args) ->
    case queue:out(Q) of
        {empty, _} -> ok;
        {{value, R}, Rest} ->
            true = erpc:receive_response(R),
            if N > 0 -> slide(Node, N - 1, queue:in(ask(Node, Args), Rest), Args);
               true -> slide(Node, N, Rest, Args)
            end
    end.
`

// BenchmarkCall measures calls of a real node, from here and from another BEAM, in
// turns within one run. x-beam is our calls per second by the BEAM's, in the median
// turn of each: the target is 0.9 one at a time and 1.5 otherwise.
func BenchmarkCall(b *testing.B) {
	e := beam.EPMD(b)
	p := peer(b, "a@127.0.0.1", e)
	r := beam.Start(b, beam.Options{Name: "rival@127.0.0.1", Cookie: "monster", EPMDPort: e,
		Paths: []string{beam.CompileErlang(b, "rival", rival)}})
	c := dial(b, start(b, e, nil), p.Name())
	for _, w := range []struct {
		name    string
		round   int
		rival   string
		callers int
	}{
		{"one at a time", 2000, "rival:one('a@127.0.0.1', %d)", 1},
		{"64 callers", 16384, "rival:many('a@127.0.0.1', %d, 64)", 64},
		{"window of 256", 16384, "rival:window('a@127.0.0.1', %d, 256)", 256},
	} {
		b.Run(strings.ReplaceAll(w.name, " ", "_"), func(b *testing.B) {
			theirs := func() time.Duration {
				ns, err := strconv.ParseInt(r.Eval(fmt.Sprintf(w.rival, w.round)), 10, 64)
				if err != nil {
					b.Fatal(err)
				}
				return time.Duration(ns)
			}
			ours := func() time.Duration { return calls(b, c, w.round, w.callers) }
			theirs() // both warm
			ours()
			var us, them []time.Duration
			for b.Loop() {
				them = append(them, theirs())
				us = append(us, ours())
			}
			rate := func(turns []time.Duration) float64 {
				slices.Sort(turns)
				return float64(w.round) / turns[len(turns)/2].Seconds()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rate(us), "calls/s")
			b.ReportMetric(rate(them), "beam-calls/s")
			b.ReportMetric(rate(us)/rate(them), "x-beam")
		})
	}
}

// calls makes so many calls, so many at once, and says how long they took.
func calls(b *testing.B, c transport.Conn, n, atOnce int) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	began := time.Now()
	var wg sync.WaitGroup
	for range atOnce {
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
	return time.Since(began)
}

// BenchmarkCallCost is one call at a time for its allocations and for profiles.
func BenchmarkCallCost(b *testing.B) {
	e := beam.EPMD(b)
	p := peer(b, "a@127.0.0.1", e)
	c := dial(b, start(b, e, nil), p.Name())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Call(context.Background(), "erlang", "is_map", event); err != nil {
			b.Fatal(err)
		}
	}
}
