package pubsub_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

func TestGroupsAreNamedAsPhoenixNamesThem(t *testing.T) {
	for atom, want := range map[etf.Atom]pubsub.Group{
		"Elixir.MyApp.PubSub.Adapter":    {Server: "MyApp.PubSub", Number: 1},
		"Elixir.MyApp.PubSub.Adapter_2":  {Server: "MyApp.PubSub", Number: 2},
		"Elixir.my_pubsub.Adapter":       {Server: "my_pubsub", Number: 1},
		"Elixir.An.Adapter.Adapter_16":   {Server: "An.Adapter", Number: 16},
		"Elixir.Odd.Adapter_2.Adapter_3": {Server: "Odd.Adapter_2", Number: 3},
	} {
		if got, ok := pubsub.GroupOf(atom); !ok || got != want || got.Atom() != atom {
			t.Errorf("%s is %+v, %v, written %s", atom, got, ok, got.Atom())
		}
	}
	for _, atom := range []etf.Atom{
		"", "pg", "Elixir.Adapter", "Elixir..Adapter_1", "Elixir.A.Adapter_1", "Elixir.A.Adapter_02", "Elixir.A.Adapter_",
		"Elixir.A.Adapter_257", "Elixir.A.Adapter_-2", "Elixir.A.Adapter_99999999999999999999", "A.Adapter", "Elixir.A.AdapterX",
	} {
		if got, ok := pubsub.GroupOf(atom); ok {
			t.Errorf("%s is %+v", atom, got)
		}
	}
}

func TestForwarded(t *testing.T) {
	topic, message, ok := pubsub.Forwarded(pubsub.Forward("metrics:x", etf.List{1}))
	if !ok || topic != "metrics:x" || etf.Text(message) != "[1]" {
		t.Errorf("%q %s %v", topic, etf.Text(message), ok)
	}
	for _, m := range []etf.Term{
		nil, etf.Tuple{}, etf.Atom("forward_to_local"), etf.Tuple{etf.Atom("forward_to_local"), "t", 1},
		etf.Tuple{etf.Atom("forward_to_local"), etf.Atom("t"), 1, etf.Atom("d")}, etf.Tuple{"forward_to_local", "t", 1, etf.Atom("d")},
	} {
		if _, _, ok := pubsub.Forwarded(m); ok {
			t.Errorf("%s was forwarded", etf.Text(m))
		}
	}
}

func TestBroadcastsOfPhoenixAreReadable(t *testing.T) {
	want := pubsub.Event{Topic: "metrics:x", Event: "visit", Payload: etf.Map{{Key: etf.Atom("n"), Value: 1}}}
	m, err := want.Term()
	if err != nil {
		t.Fatal(err)
	}
	const text = `#{'__struct__' => 'Elixir.Phoenix.Socket.Broadcast',topic => <<"metrics:x">>,event => <<"visit">>,payload => #{n => 1}}`
	if diff := cmp.Diff(text, etf.Text(m)); diff != "" {
		t.Error(diff)
	}
	got, ok := pubsub.EventOf(m)
	if !ok || got.Event != want.Event || got.Topic != want.Topic || etf.Text(got.Payload) != etf.Text(want.Payload) {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, other := range []etf.Term{1, etf.Map{}, etf.Map{{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.Phoenix.Socket.Broadcast")}}} {
		if _, ok := pubsub.EventOf(other); ok {
			t.Errorf("%s is an event", etf.Text(other))
		}
	}
}

const peerName = "a@memory"

var peerScope = etf.Pid{Node: peerName, ID: 1, Creation: 7}

// up is our scope, which follows A.PubSub, with one peer.
func up(t *testing.T) *pubsub.Scope {
	t.Helper()
	s := pubsub.NewScope(self, worker)
	if out := s.Follow([]transport.PubSubServer{{Name: "A.PubSub"}}); len(out) > 0 {
		t.Fatalf("there is nobody to tell %+v", out)
	}
	want := []pubsub.Signal{
		{Node: peerName, Op: pubsub.Monitor},
		{Node: peerName, Op: pubsub.Send, Message: etf.Tuple{etf.Atom("discover"), self}},
	}
	if diff := cmp.Diff(want, s.Up(peerName)); diff != "" {
		t.Fatal(diff)
	}
	return s
}

func members(server string, numbers ...int) etf.List {
	l := etf.List{}
	for _, n := range numbers {
		l = append(l, etf.Tuple{pubsub.Group{Server: server, Number: n}.Atom(), etf.List{etf.Pid{Node: peerName, ID: uint32(10 + n), Creation: 7}}})
	}
	return l
}

func TestAPeerWithAPoolIsFollowedIntoEveryGroup(t *testing.T) {
	s := up(t)
	if _, known := s.Shown(peerName); known {
		t.Error("what the peer shows is not known yet")
	}
	out := s.Message(peerName, cast(etf.Atom("sync"), peerScope, append(members("A.PubSub", 1, 3), members("Other", 1)...)))
	groups := etf.List{}
	for i := 1; i <= 3; i++ {
		groups = append(groups, etf.Tuple{pubsub.Group{Server: "A.PubSub", Number: i}.Atom(), etf.List{worker("A.PubSub")}})
	}
	want := []pubsub.Signal{
		{Node: peerName, Op: pubsub.Monitor, Pid: peerScope},
		{Node: peerName, Op: pubsub.Send, Pid: peerScope, Message: cast(etf.Atom("sync"), self, groups)},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	shown := []transport.PubSubPeer{{Node: peerName, Scope: true, Pools: map[string]int{"A.PubSub": 3}, Others: []string{"Other"}}}
	if diff := cmp.Diff(shown, s.Changed()); diff != "" {
		t.Error(diff)
	}
	if again := s.Changed(); again != nil {
		t.Errorf("nothing has changed but %+v", again)
	}
}

// Nobody else pays for a peer whose workers join one by one, or claims ever more.
func TestOnlyWhoShowsALargerPoolIsToldAtOnce(t *testing.T) {
	s := up(t)
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, members("A.PubSub", 1)))
	s.Message(peerName, etf.Tuple{etf.Atom("discover"), peerScope})
	const loud = "b@memory"
	scope := etf.Pid{Node: loud, ID: 1, Creation: 7}
	s.Up(loud)
	s.Message(loud, etf.Tuple{etf.Atom("discover"), scope})
	syncs := func(out []pubsub.Signal) map[string]int {
		n := map[string]int{}
		for _, o := range out {
			n[o.Node]++
			if groups := o.Message.(etf.Tuple)[1].(etf.Tuple)[2].(etf.List); len(groups) < n[o.Node] {
				t.Errorf("%s is told of %d groups", o.Node, len(groups))
			}
		}
		return n
	}
	var told []pubsub.Signal
	for i := range pubsub.MaxPool {
		told = append(told, s.Message(loud, etf.Tuple{etf.Atom("join"), scope, pubsub.Group{Server: "A.PubSub", Number: i + 1}.Atom(), scope})...)
	}
	if diff := cmp.Diff(map[string]int{loud: pubsub.MaxPool - 1}, syncs(told)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{peerName: 1}, syncs(s.Retry())); diff != "" {
		t.Errorf("later on: %s", diff)
	}
	if out := s.Retry(); out != nil {
		t.Errorf("told twice: %+v", out)
	}
}

func TestWhoHasSomethingToSayIsToldOfALargerPool(t *testing.T) {
	s := up(t)
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, members("A.PubSub", 1)))
	s.Message(peerName, etf.Tuple{etf.Atom("discover"), peerScope})
	scope := etf.Pid{Node: "b@memory", ID: 1, Creation: 7}
	s.Up("b@memory")
	s.Message("b@memory", etf.Tuple{etf.Atom("discover"), scope})
	s.Message("b@memory", etf.Tuple{etf.Atom("join"), scope, pubsub.Group{Server: "A.PubSub", Number: 3}.Atom(), scope})
	more := etf.Tuple{etf.Atom("join"), peerScope, pubsub.Group{Server: "A.PubSub", Number: 2}.Atom(), peerScope}
	out := s.Message(peerName, more)
	if len(out) != 1 || out[0].Node != peerName || !strings.Contains(etf.Text(out[0].Message), "Adapter_3") {
		t.Errorf("told %+v", out)
	}
	if out := s.Message(peerName, more); out != nil {
		t.Errorf("told twice: %+v", out)
	}
}

func TestANodeWithoutAScopeIsSaidToHaveNoneAndAskedAgain(t *testing.T) {
	s := up(t)
	if out := s.Retry(); out != nil {
		t.Errorf("the first question is under way: %+v", out)
	}
	s.Ended(peerName, etf.Pid{})
	if diff := cmp.Diff([]transport.PubSubPeer{{Node: peerName, Pools: map[string]int{}}}, s.Changed()); diff != "" {
		t.Error(diff)
	}
	if out := s.Retry(); len(out) != 2 {
		t.Errorf("asked again with %+v", out)
	}
	s.Ended(peerName, etf.Pid{})
	if again := s.Changed(); again != nil {
		t.Errorf("nothing has changed but %+v", again)
	}
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, etf.List{}))
	if diff := cmp.Diff([]transport.PubSubPeer{{Node: peerName, Scope: true, Pools: map[string]int{}}}, s.Changed()); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutServersNobodyIsAsked(t *testing.T) {
	s := pubsub.NewScope(self, worker)
	if out := s.Up(peerName); out != nil {
		t.Errorf("asked with %+v", out)
	}
	s.Ended(peerName, etf.Pid{})
	if out := s.Retry(); out != nil {
		t.Errorf("asked with %+v", out)
	}
	if out := s.Follow([]transport.PubSubServer{{Name: "A.PubSub", Pool: 2}}); len(out) != 2 {
		t.Errorf("now it is to be asked: %+v", out)
	}
}

func TestWhatIsNotUnderstoodIsDroppedAndCounted(t *testing.T) {
	s := up(t)
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, members("A.PubSub", 1)))
	stranger := etf.Pid{Node: "b@memory", ID: 1, Creation: 7}
	list := etf.List{etf.Pid{Node: peerName, ID: 2, Creation: 7}}
	group := pubsub.Adapter("A.PubSub")
	bad := []etf.Term{
		nil, 1, etf.Tuple{}, etf.Atom("discover"), etf.Tuple{etf.Atom("discover")}, etf.Tuple{etf.Atom("discover"), 1},
		etf.Tuple{etf.Atom("discover"), peerScope, 1, 2}, etf.Tuple{etf.Atom("discover"), stranger},
		etf.Tuple{etf.Atom("hello"), peerScope}, etf.Tuple{etf.Atom("$gen_call"), peerScope, etf.Atom("which_groups")},
		cast(etf.Atom("sync"), peerScope, 1), cast(etf.Atom("sync"), peerScope, etf.List{1}), cast(etf.Atom("sync")),
		cast(etf.Atom("sync"), peerScope, etf.List{etf.Tuple{group, etf.List{1}}}), cast(etf.Atom("sync"), stranger, etf.List{}),
		cast(etf.Atom("local_data"), peerScope, 1, etf.List{}), cast(etf.Atom("local_data"), peerScope, 1, etf.Map{{Key: group, Value: 1}}),
		etf.Tuple{etf.Atom("$gen_cast"), 1},
		etf.Tuple{etf.Atom("join"), peerScope, group}, etf.Tuple{etf.Atom("join"), stranger, group, list}, etf.Tuple{etf.Atom("join"), peerScope, group, group},
		etf.Tuple{etf.Atom("leave"), peerScope, list, group}, etf.Tuple{etf.Atom("leave"), peerScope, 1, etf.List{group}},
		etf.Tuple{etf.Atom("update"), peerScope, 1}, etf.Tuple{etf.Atom("update"), peerScope, etf.List{etf.Tuple{group, list}}},
	}
	for _, m := range bad {
		if out := s.Message(peerName, m); out != nil {
			t.Errorf("%s is answered with %+v", etf.Text(m), out)
		}
	}
	want := transport.PubSubPeer{Node: peerName, Scope: true, Pools: map[string]int{"A.PubSub": 1}, Dropped: uint64(len(bad))}
	if got, _ := s.Shown(peerName); !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	if out := s.Message("nobody@memory", etf.Tuple{etf.Atom("discover"), peerScope}); out != nil {
		t.Errorf("a node that is not connected is answered with %+v", out)
	}
}

func TestChangesOfBothVersions(t *testing.T) {
	s := up(t)
	s.Message(peerName, cast(etf.Atom("local_data"), peerScope, 1, etf.Map{{Key: pubsub.Adapter("A.PubSub"), Value: etf.List{peerScope}}}))
	two := pubsub.Group{Server: "A.PubSub", Number: 2}.Atom()
	a, b := etf.Pid{Node: peerName, ID: 2, Creation: 7}, etf.Pid{Node: peerName, ID: 3, Creation: 7}
	pool := func(want int) {
		t.Helper()
		if got, _ := s.Shown(peerName); got.Pools["A.PubSub"] != want || got.Dropped != 0 {
			t.Errorf("a pool of %d, %d dropped, want %d", got.Pools["A.PubSub"], got.Dropped, want)
		}
	}
	pool(1)
	s.Message(peerName, etf.Tuple{etf.Atom("join"), peerScope, two, a})
	s.Message(peerName, etf.Tuple{etf.Atom("join"), peerScope, two, etf.List{a, b}})
	pool(2)
	s.Message(peerName, etf.Tuple{etf.Atom("leave"), peerScope, etf.List{a, b}, etf.List{two}})
	pool(2) // a has joined twice
	s.Message(peerName, etf.Tuple{etf.Atom("leave"), peerScope, a, etf.List{two, etf.Atom("unknown")}})
	pool(1)
	s.Message(peerName, etf.Tuple{etf.Atom("update"), peerScope, etf.List{etf.Tuple{two, etf.List{b}, etf.List{}}}})
	pool(2)
	s.Message(peerName, etf.Tuple{etf.Atom("update"), peerScope, etf.List{etf.Tuple{two, etf.List{}, etf.List{b}}}})
	pool(1)
}

func TestMembersOfAPeerAreBounded(t *testing.T) {
	s := up(t)
	pids := etf.List{}
	for i := range pubsub.MaxMembers + 5 {
		pids = append(pids, etf.Pid{Node: peerName, ID: uint32(i), Creation: 7})
	}
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, etf.List{etf.Tuple{pubsub.Adapter("A.PubSub"), pids}}))
	if got, _ := s.Shown(peerName); got.Dropped != 5 {
		t.Errorf("%d dropped, want 5", got.Dropped)
	}
	groups := etf.List{}
	for i := range pubsub.MaxGroups + 7 {
		groups = append(groups, etf.Tuple{pubsub.Adapter("S" + strings.Repeat("x", i%100) + string(rune('a'+i/100))), etf.List{peerScope}})
	}
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, groups))
	if got, _ := s.Shown(peerName); got.Dropped != 5+7 || len(got.Others) != pubsub.MaxGroups {
		t.Errorf("%d dropped, %d others", got.Dropped, len(got.Others))
	}
}

func TestALeaveOfManyFromManyTakesLittle(t *testing.T) {
	s := up(t)
	s.Message(peerName, cast(etf.Atom("sync"), peerScope, members("A.PubSub", 2)))
	pids, groups := etf.List{}, etf.List{pubsub.Adapter("A.PubSub"), pubsub.Adapter("A.PubSub")}
	for i := range 2000 {
		pids = append(pids, etf.Pid{Node: peerName, ID: uint32(i), Creation: 7})
		groups = append(groups, etf.Atom("g"), pubsub.Group{Server: "S", Number: i + 1}.Atom())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.Message(peerName, etf.Tuple{etf.Atom("leave"), peerScope, append(pids, peerScope), groups})
	s.Message(peerName, etf.Tuple{etf.Atom("leave"), etf.Pid{Node: peerName, ID: 1}, pids, groups}) // of no scope
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("it takes %d bytes", took)
	}
	if got, _ := s.Shown(peerName); got.Dropped != 1 {
		t.Errorf("%d dropped, want that of no scope", got.Dropped)
	}
}
