package ergonode_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
	"ehc/transport/transporttest/beam"
)

const server = "MyApp.PubSub"

// ear is a listener that keeps what it hears.
type ear struct {
	mu      sync.Mutex
	heard   []transport.PubSubMessage
	shown   map[string]transport.PubSubPeer
	changed chan struct{} // room for one
}

func newEar() *ear {
	return &ear{shown: map[string]transport.PubSubPeer{}, changed: make(chan struct{}, 1)}
}

func (e *ear) Heard(m transport.PubSubMessage) { e.note(func() { e.heard = append(e.heard, m) }) }
func (e *ear) Shown(p transport.PubSubPeer)    { e.note(func() { e.shown[p.Node] = p }) }

func (e *ear) note(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// until waits for a condition on what has been heard, which runs with the lock held.
func (e *ear) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		e.mu.Lock()
		done := ok()
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-e.changed:
		case <-limit.C:
			e.mu.Lock()
			defer e.mu.Unlock()
			t.Fatalf("%s: heard %d messages, shown %+v", what, len(e.heard), e.shown)
		}
	}
}

func (e *ear) pool(t testing.TB, node string, want int) {
	t.Helper()
	e.until(t, fmt.Sprintf("%s shows a pool of %d", node, want), func() bool {
		return e.shown[node].Scope && e.shown[node].Pools[server] == want
	})
}

// take waits for n messages and returns them as Erlang writes them.
func (e *ear) take(t testing.TB, n int) []string {
	t.Helper()
	e.until(t, fmt.Sprintf("%d messages", n), func() bool { return len(e.heard) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, m := range e.heard {
		out = append(out, m.Topic+" "+etf.Text(m.Message))
	}
	e.heard = nil
	return out
}

// app is an Elixir node with Phoenix.PubSub, and ours that follows its server.
type app struct {
	*beam.Node
	ours  *ergonode.Node
	conn  transport.Conn
	ear   *ear
	pool  int
	alive string
}

func startApp(t *testing.T, pool int) *app {
	t.Helper()
	e := beam.EPMD(t)
	a := &app{pool: pool, ear: newEar()}
	a.Node = beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e, Elixir: true, Paths: beam.PubSub(t)})
	a.serve(t)
	a.ours = start(t, e, func(o *ergonode.Options) { o.PubSub, o.PubSubRetry = a.ear, 100*time.Millisecond })
	a.ours.Follow([]transport.PubSubServer{{Name: server}})
	a.conn = dial(t, a.ours, a.Name())
	a.ear.pool(t, a.Name(), pool)
	return a
}

func (a *app) serve(t *testing.T) {
	t.Helper()
	a.Eval(fmt.Sprintf(`Ehc.PubSubApp.start([{MyApp.PubSub, %d}])`, a.pool))
	a.alive = a.living()
}

func (a *app) living() string {
	return a.Eval(fmt.Sprintf("Ehc.PubSubApp.alive([{MyApp.PubSub, %d}])", a.pool))
}

// same says that neither the scope nor a worker has ended since the app has started.
func (a *app) same(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(a.alive, a.living()); diff != "" {
		t.Errorf("a scope or a worker has died: -before +now:\n%s", diff)
	}
}

// member waits until the peer has one member of ours in every group, which is no more
// than one however often it is looked at.
func (a *app) member(t *testing.T) {
	t.Helper()
	want := "[" + strings.TrimSuffix(strings.Repeat("1, ", a.pool), ", ") + "]"
	a.eventually(t, fmt.Sprintf("Ehc.PubSubApp.members(MyApp.PubSub, %d)", a.pool), want)
}

// eventually waits for the value of an expression.
func (a *app) eventually(t *testing.T, expr, want string) {
	t.Helper()
	// Each look takes a round trip to the node; the node's own time-out ends the wait.
	loop := "f = fn f, n -> v = inspect(" + expr + "); if v == \"" + want + "\" or n == 0, do: v, else: (Process.sleep(20); f.(f, n - 1)) end; f.(f, 10_000)"
	if got := a.Eval(loop); got != strconv.Quote(want) {
		t.Fatalf("%s is %s, want %s", expr, got, want)
	}
}

func TestPubSubGoesBothWays(t *testing.T) {
	for _, pool := range []int{1, 4} {
		t.Run(fmt.Sprintf("pool of %d", pool), func(t *testing.T) {
			a := startApp(t, pool)
			a.member(t)

			a.Eval(`Phoenix.PubSub.broadcast(MyApp.PubSub, "metrics:x", {:hello, "world"})`)
			a.Eval(`Phoenix.PubSub.direct_broadcast(:"ehc@127.0.0.1", MyApp.PubSub, "metrics:x", %{n: 1})`)
			if diff := cmp.Diff([]string{`metrics:x {hello,<<"world">>}`, `metrics:x #{n => 1}`}, a.ear.take(t, 2)); diff != "" {
				t.Error(diff)
			}

			a.Eval(`Ehc.PubSubApp.listen(:listener, MyApp.PubSub, ["metrics:x", "metrics:y"])`)
			event, err := pubsub.Event{Topic: "metrics:x", Event: "visit", Payload: etf.Map{{Key: "n", Value: 1}}}.Term()
			if err != nil {
				t.Fatal(err)
			}
			for topic, m := range map[string]etf.Term{"metrics:x": event, "metrics:nobody": 1} {
				if err := pubsub.Broadcast(t.Context(), a.conn, server, topic, m); err != nil {
					t.Fatal(err)
				}
			}
			const broadcast = `[%{__struct__: Phoenix.Socket.Broadcast, event: "visit", payload: %{"n" => 1}, topic: "metrics:x"}]`
			if got := a.Eval(`got = Ehc.PubSubApp.take(:listener, 1); if got == ` + broadcast + `, do: :same, else: got`); got != ":same" {
				t.Errorf("the subscriber has got %s, want %s", got, broadcast)
			}
			a.member(t)
			a.same(t)
		})
	}
}

// Ten thousand broadcasts each way arrive once and in order: all of one process, and
// those of each of a hundred, which are spread over all groups of the pool.
func TestTenThousandBroadcastsArriveInOrderAndOnce(t *testing.T) {
	const all = 10_000
	for _, pool := range []int{1, 4} {
		t.Run(fmt.Sprintf("pool of %d", pool), func(t *testing.T) {
			a := startApp(t, pool)
			a.member(t)
			for _, processes := range []int{1, 100} {
				a.Eval(fmt.Sprintf(`Ehc.PubSubApp.flood(MyApp.PubSub, "t", %d, %d)`, processes, all/processes))
				next := make([]int, processes+1)
				for _, m := range a.ear.take(t, all) {
					var p, i int
					if _, err := fmt.Sscanf(m, "t {%d,%d}", &p, &i); err != nil || i != next[p]+1 {
						t.Fatalf("of process %d came %s after %d (%v)", p, m, next[p], err)
					}
					next[p] = i
				}
				if slices.ContainsFunc(next[1:], func(n int) bool { return n != all/processes }) {
					t.Errorf("of %d processes came %v", processes, next[1:])
				}
			}

			a.Eval(`Ehc.PubSubApp.listen(:listener, MyApp.PubSub, ["t"])`)
			for i := range all {
				if err := pubsub.Broadcast(t.Context(), a.conn, server, "t", i); err != nil {
					t.Fatal(err)
				}
			}
			if got := a.Eval(fmt.Sprintf(`Ehc.PubSubApp.take(:listener, %d) == Enum.to_list(0..%d)`, all, all-1)); got != "true" {
				t.Error("the subscriber has not got each of them, once and in order")
			}
			// Whatever came twice would be there by now: one more, and nothing beside it.
			a.Eval(`Phoenix.PubSub.broadcast(MyApp.PubSub, "t", :last)`)
			if diff := cmp.Diff([]string{"t last"}, a.ear.take(t, 1)); diff != "" {
				t.Error(diff)
			}
			if got := a.Eval(`Ehc.PubSubApp.take(:listener, 1)`); got != "[:last]" {
				t.Errorf("after the last came %s", got)
			}
			a.same(t)
		})
	}
}

func TestARestartedPeerHasUsOnceAgain(t *testing.T) {
	a := startApp(t, 2)
	for range 3 {
		a.Restart()
		a.serve(t)
		a.ear.mu.Lock()
		clear(a.ear.shown)
		a.ear.mu.Unlock()
		a.conn = dial(t, a.ours, a.Name())
		a.ear.pool(t, a.Name(), 2)
		a.member(t)
		a.Eval(`Ehc.PubSubApp.flood(MyApp.PubSub, "t", 20, 1)`)
		a.Eval(`Phoenix.PubSub.direct_broadcast(:"ehc@127.0.0.1", MyApp.PubSub, "t", :last)`)
		a.ear.until(t, "the last", func() bool {
			return len(a.ear.heard) > 0 && a.ear.heard[len(a.ear.heard)-1].Message == etf.Term(etf.Atom("last"))
		})
		if got := a.ear.take(t, 21); len(got) != 21 {
			t.Errorf("%d of 21 messages came", len(got))
		}
		a.same(t)
	}
}

// A scope that has ended, and the servers that it has forgotten, are seen; a node
// that had no PubSub is found again when it has.
func TestADeafNodeIsSeen(t *testing.T) {
	e := beam.EPMD(t)
	heard := newEar()
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e, Elixir: true, Paths: beam.PubSub(t)})
	n := start(t, e, func(o *ergonode.Options) { o.PubSub, o.PubSubRetry = heard, 50*time.Millisecond })
	dial(t, n, p.Name())
	n.Follow([]transport.PubSubServer{{Name: server}}) // after the connection is up
	heard.until(t, "no scope", func() bool { s, ok := heard.shown[p.Name()]; return ok && !s.Scope })

	p.Eval(`Ehc.PubSubApp.start([{MyApp.PubSub, 3}, {Other.PubSub, 1}])`)
	heard.until(t, "the pools", func() bool {
		s := heard.shown[p.Name()]
		return s.Pools[server] == 3 && slices.Equal(s.Others, []string{"Other.PubSub"})
	})

	p.Eval(`Ehc.PubSubApp.lose_scope()`)
	p.Eval(`Ehc.PubSubApp.new_scope()`)
	heard.until(t, "a scope without groups", func() bool {
		s := heard.shown[p.Name()]
		return s.Scope && s.Pools[server] == 0 && len(s.Others) == 0
	})
}

func TestWhatIsNoLongerFollowedSendsNothingMore(t *testing.T) {
	a := startApp(t, 4)
	a.member(t)
	a.ours.Follow(nil)
	a.eventually(t, `Ehc.PubSubApp.members(MyApp.PubSub, 4)`, "[0, 0, 0, 0]")
	a.same(t)
	a.ours.Follow([]transport.PubSubServer{{Name: "Other.PubSub"}, {Name: server, Pool: 4}})
	a.member(t)
	a.ours.Stop()
	a.eventually(t, `Ehc.PubSubApp.members(MyApp.PubSub, 4)`, "[0, 0, 0, 0]")
	a.same(t)
}

func TestOurScopeIsAlive(t *testing.T) {
	a := startApp(t, 1)
	for name, want := range map[string]string{"Phoenix.PubSub": "1", "MyApp.PubSub.Adapter": "1", "Other.PubSub.Adapter": "noproc"} {
		expr := fmt.Sprintf(`r = Process.monitor({%s, :"ehc@127.0.0.1"}); Phoenix.PubSub.direct_broadcast(:"ehc@127.0.0.1", MyApp.PubSub, "t", 1); `+
			`:pong = Node.ping(:"ehc@127.0.0.1"); receive do {:DOWN, ^r, _, _, why} -> why after 0 -> 1 end`, name)
		if got := strings.TrimPrefix(a.Eval(expr), ":"); got != want {
			t.Errorf("a monitor of %s gives %s, want %s", name, got, want)
		}
	}
	// It sends nothing that a scope does not know when it is asked what it does not know.
	a.Eval(`for m <- [:hello, {:discover}, {:"$gen_call", {self(), make_ref()}, :which_groups}], do: send({Phoenix.PubSub, :"ehc@127.0.0.1"}, m)`)
	a.Eval(`Phoenix.PubSub.broadcast(MyApp.PubSub, "t", :still_here)`)
	a.ear.until(t, "a broadcast", func() bool {
		return len(a.ear.heard) > 0 && a.ear.heard[len(a.ear.heard)-1].Message == etf.Term(etf.Atom("still_here"))
	})
	a.same(t)
}

// Of nodes with pools of their own we are in every group of the largest, everywhere.
func TestPoolsThatDiffer(t *testing.T) {
	a := startApp(t, 2)
	b := beam.Start(t, beam.Options{Name: "b@127.0.0.1", Cookie: "monster", EPMDPort: a.EPMDPort(), Elixir: true, Hidden: true, Paths: beam.PubSub(t)})
	b.Eval(`Ehc.PubSubApp.start([{MyApp.PubSub, 3}])`)
	dial(t, a.ours, b.Name())
	a.ear.pool(t, b.Name(), 3)
	a.ear.pool(t, a.Name(), 2)
	other := &app{Node: b, pool: 3}
	other.member(t)
	a.eventually(t, `Ehc.PubSubApp.members(MyApp.PubSub, 3)`, "[1, 1, 1]")
	a.same(t)
}

// slow is a listener that takes its time over what a peer shows.
type slow struct {
	*ear
	busy, on chan struct{}
}

func (s *slow) Shown(transport.PubSubPeer) {
	s.busy <- struct{}{}
	<-s.on
}

func TestAPeerWithMuchToShowHoldsUpNoBroadcasts(t *testing.T) {
	heard := &slow{ear: newEar(), busy: make(chan struct{}), on: make(chan struct{})}
	n := alone(t, func(o *ergonode.Options) { o.PubSub = heard })
	n.Follow([]transport.PubSubServer{{Name: server}})
	a, _ := linked(t, n, "a@127.0.0.1")
	b, _ := linked(t, n, "b@127.0.0.1")
	frame, err := dist.AppendRegSend(nil, a.pid(1), pubsub.ScopeName)
	a.send(frame, err, etf.Tuple{atom("$gen_cast"), etf.Tuple{atom("sync"), a.pid(1), etf.List{}}})
	<-heard.busy
	defer close(heard.on)
	frame, err = dist.AppendRegSend(nil, b.pid(1), pubsub.Adapter(server))
	b.send(frame, err, pubsub.Forward("t", 1))
	if diff := cmp.Diff([]string{"t 1"}, heard.take(t, 1)); diff != "" {
		t.Error(diff)
	}
	nobody := etf.Pid{Node: ourName, ID: 1, Serial: 1, Creation: n.Creation()}
	b.send(dist.AppendMonitor(nil, b.pid(1), nobody, etf.Ref{Node: "b@127.0.0.1", Creation: 77, Len: 1}), nil)
	if got := b.next(dist.OpDown); term(t, got.Payload) != etf.Term(atom("noproc")) {
		t.Errorf("%+v", got)
	}
}
