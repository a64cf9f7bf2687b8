// Package outbox_test proves the receivers of this folder on real Elixir nodes.
package outbox_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const handler = "Elixir.EventHorizon.Remote.Handler"

// receiver is an Elixir node with the handler, and our node beside it.
type receiver struct {
	t    testing.TB
	node *beam.Node
	ours *ergonode.Node
	conn transport.Conn
	open string // starts the handler
}

// start runs a node with these sources, evaluates open on it, now and after each
// restart, and dials it.
func start(t testing.TB, open string, sources ...string) *receiver {
	t.Helper()
	epmd := beam.EPMD(t)
	node := beam.Start(t, beam.Options{Name: "phoenix@127.0.0.1", Cookie: "c", EPMDPort: epmd, Elixir: true,
		Paths: []string{beam.CompileElixir(t, sources...)}})
	ours, err := ergonode.Start(t.Context(), ergonode.Options{Name: "ehc@127.0.0.1", EPMDPort: uint16(epmd),
		Cookies: []transport.Cookie{transport.NewCookie("c")}, Listen: netip.MustParseAddr("127.0.0.1"), SetupTimeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ours.Stop)
	r := &receiver{t: t, node: node, ours: ours, open: open}
	r.up()
	return r
}

// journal starts the version without a database, with its file in a folder of the
// test's and these further options.
func journal(t testing.TB, options string) *receiver {
	t.Helper()
	return start(t, supervise(t.TempDir(), options), "remote_handler.ex")
}

// supervise starts the handler in a supervisor that outlives the expression.
func supervise(dir, options string) string {
	return fmt.Sprintf(`me = self()
{pid, ref} = spawn_monitor(fn ->
  {:ok, _} = Supervisor.start_link([{EventHorizon.Remote.Handler, [dir: %q%s]}], strategy: :one_for_one)
  send(me, :up)
  Process.sleep(:infinity)
end)
receive do :up -> Process.demonitor(ref, [:flush]) && pid; {:DOWN, ^ref, _, _, why} -> raise inspect(why) end`, dir, options)
}

// up opens the handler on the node and dials it.
func (r *receiver) up() {
	r.t.Helper()
	r.node.Eval(r.open)
	ctx, cancel := r.limit()
	defer cancel()
	conn, err := r.ours.Dial(ctx, transport.Target{Node: r.node.Name()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.conn = conn
}

// restart starts the node again once it has been killed.
func (r *receiver) restart() {
	r.t.Helper()
	_ = r.conn.Close() // returns once the old link is down here, too
	r.node.Restart()
	r.up()
}

func (r *receiver) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Minute)
}

// call is one call of a function of the handler's.
func (r *receiver) call(function string, args ...etf.Term) (etf.Term, error) {
	ctx, cancel := r.limit()
	defer cancel()
	return r.conn.Call(ctx, handler, function, args...)
}

// handle hands over events, one by handle_buffered_event/1 and several in a batch,
// and returns the answer as Elixir text.
func (r *receiver) handle(events ...event) (string, error) {
	function, arg := "handle_buffered_events", etf.Term(nil)
	list := make(etf.List, len(events))
	for i, e := range events {
		list[i] = e.term()
	}
	arg = list
	if len(events) == 1 {
		function, arg = "handle_buffered_event", list[0]
	}
	answer, err := r.call(function, arg)
	if err != nil {
		return "", err
	}
	return etf.Text(answer), nil
}

// want fails the test unless the events are answered so.
func (r *receiver) want(answer string, events ...event) {
	r.t.Helper()
	if got, err := r.handle(events...); err != nil || got != answer {
		r.t.Fatalf("%d events were answered %s, %v; want %s", len(events), got, err, answer)
	}
}

// counts are the visits that the handler has counted.
func (r *receiver) counts() tally {
	r.t.Helper()
	answer, err := r.call("counts", etf.Atom("visits"))
	if err != nil {
		r.t.Fatal(err)
	}
	found := tally{}
	for _, p := range answer.(etf.Map) {
		found[p.Key.(string)] = p.Value.(int)
	}
	return found
}

// tally is what should be counted, by page.
type tally map[string]int

func (c tally) add(events ...event) tally {
	c = maps.Clone(c)
	for _, e := range events {
		c[e.page] += e.delta
	}
	return c
}

// event is an increment_visit, unless kind says otherwise.
type event struct {
	id, kind, page string
	delta          int
}

// visits are n events from number first on, which differ in id and delta.
func visits(first, n int) []event {
	events := make([]event, n)
	for i := range events {
		k := first + i
		events[i] = event{id: fmt.Sprintf("01J%023d", k), page: "/" + strconv.Itoa(k%7), delta: 1 + k%1000}
	}
	return events
}

// term is the event as the controller sends it.
func (e event) term() etf.Term {
	kind := e.kind
	if kind == "" {
		kind = "increment_visit"
	}
	at := etf.Map{{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.DateTime")},
		{Key: etf.Atom("calendar"), Value: etf.Atom("Elixir.Calendar.ISO")},
		{Key: etf.Atom("year"), Value: 2026}, {Key: etf.Atom("month"), Value: 11}, {Key: etf.Atom("day"), Value: 23},
		{Key: etf.Atom("hour"), Value: 10}, {Key: etf.Atom("minute"), Value: 0}, {Key: etf.Atom("second"), Value: 0},
		{Key: etf.Atom("microsecond"), Value: etf.Tuple{0, 6}}, {Key: etf.Atom("time_zone"), Value: "Etc/UTC"},
		{Key: etf.Atom("zone_abbr"), Value: "UTC"}, {Key: etf.Atom("utc_offset"), Value: 0},
		{Key: etf.Atom("std_offset"), Value: 0}}
	return etf.Map{
		{Key: etf.Atom("event_id"), Value: e.id},
		{Key: etf.Atom("type"), Value: etf.Atom(kind)},
		{Key: etf.Atom("payload"), Value: etf.Map{
			{Key: etf.Atom("page_id"), Value: e.page}, {Key: etf.Atom("delta"), Value: e.delta}}},
		{Key: etf.Atom("inserted_at"), Value: at},
	}
}
