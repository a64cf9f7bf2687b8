package state

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// one is a store in which app "media" has one query, "media.internal".
type one struct {
	*Store
	t *testing.T
}

func newOne(t *testing.T, prune Prune) one {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	o := one{s, t}
	o.ok(s.SetSpec(Spec{Apps: []App{mediaApp(prune)}}, t0))
	return o
}

func mediaApp(prune Prune) App {
	return App{Name: "media", Queries: []Lookup{{Text: "media.internal"}}, Prune: prune}
}

func (o one) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// finds records an answer with these nodes.
func (o one) finds(nodes ...Node) {
	o.t.Helper()
	var a Answer
	for _, n := range nodes {
		a.Found = append(a.Found, Found{Node: n})
	}
	o.ok(o.RecordAnswer("media", "media.internal", a, t0))
}

func (o one) up(n Node) {
	o.t.Helper()
	o.ok(o.RecordUp(n, 7, t0))
}

func (o one) down(n Node) {
	o.t.Helper()
	o.ok(o.RecordDown(n, "Silent", "peer fell silent", t0, time.Time{}))
}

// stands checks which nodes have peer rows, and of which a query lists none.
func (o one) stands(want map[Node]string) {
	o.t.Helper()
	got := map[Node]string{}
	for _, p := range o.Snapshot().Peers() {
		got[p.Node] = "listed"
		if !p.GoneSince.IsZero() {
			got[p.Node] = "gone"
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		o.t.Errorf("peers (-want +got):\n%s", d)
	}
}

func TestPeers(t *testing.T) {
	tests := []struct {
		name  string
		prune Prune
		do    func(one)
		want  map[Node]string
	}{
		{name: "a found node is listed", do: func(o one) { o.finds("a@h") }, want: map[Node]string{"a@h": "listed"}},
		{name: "a live node that is left out is gone", do: func(o one) {
			o.finds("a@h", "b@h")
			o.up("a@h")
			o.finds("b@h")
		}, want: map[Node]string{"a@h": "gone", "b@h": "listed"}},
		{name: "a node that is found again is listed again", do: func(o one) {
			o.finds("a@h", "b@h")
			o.up("a@h")
			o.finds("b@h")
			o.finds("a@h", "b@h")
		}, want: map[Node]string{"a@h": "listed", "b@h": "listed"}},
		{name: "a dead node that is left out leaves at once, and its connection too", do: func(o one) {
			o.finds("a@h", "b@h")
			o.up("a@h")
			o.down("a@h")
			o.finds("b@h")
			if c := o.Snapshot().Conn("a@h"); c.Node != "" {
				o.t.Errorf("conn row stays: %+v", c)
			}
		}, want: map[Node]string{"b@h": "listed"}},
		{name: "a node that is being dialled when it is left out leaves when the dial fails", do: func(o one) {
			o.finds("a@h", "b@h")
			o.ok(o.RecordDialling("a@h"))
			o.finds("b@h")
			if p := o.Snapshot().Peers(); len(p) != 2 {
				o.t.Errorf("the row left before the dial ended: %v", p)
			}
			o.ok(o.RecordDialFailed("a@h", "Unreachable", "unreachable", t0))
		}, want: map[Node]string{"b@h": "listed"}},
		{name: "a node that is gone leaves with its link", do: func(o one) {
			o.finds("a@h", "b@h")
			o.up("a@h")
			o.finds("b@h")
			o.down("a@h")
		}, want: map[Node]string{"b@h": "listed"}},
		{name: "a deploy that replaces every dead node leaves none of the old", do: func(o one) {
			o.finds("a@h", "b@h")
			o.finds("c@h", "d@h")
		}, want: map[Node]string{"c@h": "listed", "d@h": "listed"}},
		{name: "an empty answer keeps dead nodes wanted", do: func(o one) {
			o.finds("a@h", "b@h")
			o.up("b@h")
			o.finds()
			o.finds()
		}, want: map[Node]string{"a@h": "listed", "b@h": "gone"}},
		{name: "an empty answer wants a node again whose link is lost", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.finds()
			o.down("a@h")
		}, want: map[Node]string{"a@h": "listed"}},
		{name: "an empty answer that is repeated often enough lets dead nodes go", do: func(o one) {
			o.finds("a@h")
			for range EmptyEnough {
				o.finds()
			}
			before := o.Snapshot().moment()
			o.finds()
			if after := o.Snapshot().moment(); after != before {
				o.t.Errorf("one empty answer more changed something: %v, then %v", before, after)
			}
		}, want: map[Node]string{}},
		{name: "an answer between empty ones begins the count anew", do: func(o one) {
			o.finds("a@h")
			o.finds()
			o.finds()
			o.finds("a@h")
			o.finds()
			o.finds()
		}, want: map[Node]string{"a@h": "listed"}},
		{name: "an empty answer that is allowed lets dead nodes go at once", prune: Prune{AllowEmpty: true}, do: func(o one) {
			o.finds("a@h")
			o.finds()
		}, want: map[Node]string{}},
		{name: "a failed lookup changes nothing", do: func(o one) {
			o.finds("a@h")
			o.ok(o.RecordFailure("media", "media.internal", "SERVFAIL"))
		}, want: map[Node]string{"a@h": "listed"}},
		{name: "a node at an address where nobody could be asked stays listed", do: func(o one) {
			at := netip.MustParseAddr("fdaa::2")
			o.ok(o.RecordAnswer("media", "media.internal", Answer{Found: []Found{{Node: "a@h", Addr: at}}}, t0))
			o.ok(o.RecordAnswer("media", "media.internal", Answer{Unasked: []netip.Addr{at}, Why: "EPMD refused"}, t0))
			if q := o.Snapshot().Queries()[0]; q.Err != "" || q.Unasked != "EPMD refused" || q.EmptyTimes != 0 {
				o.t.Errorf("query = %+v", q)
			}
		}, want: map[Node]string{"a@h": "listed"}},
		{name: "what an answer says of stopped machines is kept, and no plan depends on it", do: func(o one) {
			answer := Answer{Found: []Found{{Node: "a@h"}}}
			o.ok(o.RecordAnswer("media", "media.internal", answer, t0))
			before := o.Snapshot().Index()
			answer.Machines = Machines{Deployed: 2, Stopped: 1, Which: "148e45 in lhr"}
			o.ok(o.RecordAnswer("media", "media.internal", answer, t0))
			if after := o.Snapshot().Index(); after != before {
				o.t.Errorf("index was %d and is %d", before, after)
			}
			o.ok(o.RecordFailure("media", "media.internal", "SERVFAIL"))
			if q := o.Snapshot().Queries()[0]; q.Machines != answer.Machines {
				o.t.Errorf("query = %+v", q)
			}
		}, want: map[Node]string{"a@h": "listed"}},
		{name: "an approved node is not wanted again when its link is cut", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.finds()
			o.ok(o.Approve([]Node{"a@h"}, t0))
			o.ok(o.RecordPruned("a@h", t0))
			o.down("a@h")
		}, want: map[Node]string{}},
		{name: "the answer to a query that has left the file is dropped", do: func(o one) {
			o.ok(o.RecordAnswer("media", "old.internal", Answer{Found: []Found{{Node: "a@h"}}}, t0))
		}, want: map[Node]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOne(t, tt.prune)
			tt.do(o)
			o.stands(tt.want)
		})
	}
}

func TestAddressDoesNotMoveWithTheOrderOfAnAnswer(t *testing.T) {
	o := newOne(t, Prune{})
	low, high := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	answer := func(addrs ...netip.Addr) netip.Addr {
		var a Answer
		for _, at := range addrs {
			a.Found = append(a.Found, Found{Node: "a@h", Addr: at})
		}
		o.ok(o.RecordAnswer("media", "media.internal", a, t0))
		p, _ := o.Snapshot().Wanted("a@h")
		return p.Addr
	}
	if got := answer(high, low); got != low {
		t.Errorf("at first %v, want the lowest", got)
	}
	if got := answer(high); got != high {
		t.Errorf("after it has moved %v, want %v", got, high)
	}
	if got := answer(low, high); got != high {
		t.Errorf("found at two addresses %v, want the one it had", got)
	}
}

func TestANodeThatIsFoundElsewhereIsDialledAtOnce(t *testing.T) {
	o := newOne(t, Prune{})
	answer := func(port uint16) time.Time {
		o.ok(o.RecordAnswer("media", "media.internal", Answer{Found: []Found{{Node: "a@h", Port: port}}}, t0))
		return o.Snapshot().Conn("a@h").RetryAt
	}
	retry := t0.Add(time.Minute)
	answer(4001)
	o.ok(o.RecordDialling("a@h"))
	o.ok(o.RecordDialFailed("a@h", "Unreachable", "unreachable", retry))
	if got := answer(4001); !got.Equal(retry) {
		t.Errorf("found where it was, it may be dialled at %v, want %v", got, retry)
	}
	if got := answer(4002); !got.IsZero() {
		t.Errorf("found at another port, it may be dialled at %v, want at once", got)
	}
}

func TestSpec(t *testing.T) {
	o := newOne(t, Prune{After: time.Minute})
	o.finds("a@h", "b@h")
	o.up("a@h")
	o.ok(o.SetSpec(Spec{}, t0.Add(time.Second)))
	o.stands(map[Node]string{"a@h": "gone"})
	a, ok := o.Snapshot().App("media")
	if !ok || !a.Removed || a.Prune.After != time.Minute {
		t.Errorf("app that left the file with a live node = %+v, %v; want it removed, with its policy", a, ok)
	}
	if q := o.Snapshot().Queries(); len(q) != 0 {
		t.Errorf("its queries stay: %v", q)
	}

	back, err := o.Fork()
	o.ok(err)
	o.ok(back.SetSpec(Spec{Apps: []App{mediaApp(Prune{})}}, t0.Add(2*time.Second)))
	if a, _ := back.Snapshot().App("media"); a.Removed {
		t.Error("an app that came back is still removed")
	}

	o.down("a@h")
	if s := o.Snapshot(); len(s.Apps())+len(s.Peers())+len(s.Conns()) != 0 {
		t.Errorf("after its last node: apps %v, peers %v, conns %v", s.Apps(), s.Peers(), s.Conns())
	}
}

func TestQueryThatStaysInTheFileKeepsWhatIsKnown(t *testing.T) {
	o := newOne(t, Prune{})
	o.finds("a@h")
	a := mediaApp(Prune{MaxShare: 1})
	a.Queries = append(a.Queries, Lookup{Text: "more.internal"})
	o.ok(o.SetSpec(Spec{Apps: []App{a}}, t0))
	want := []Query{{App: "media", Name: "media.internal", Known: true}, {App: "media", Name: "more.internal"}}
	if d := cmp.Diff(want, o.Snapshot().Queries()); d != "" {
		t.Errorf("queries (-want +got):\n%s", d)
	}
	o.stands(map[Node]string{"a@h": "listed"})
}
