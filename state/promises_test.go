package state

import (
	"net/netip"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// plain lets cmp compare what it cannot look into.
var plain = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// checkPromises checks what the doc comment of Store says is always true.
func checkPromises(t *rapid.T, s Snapshot) {
	rows := map[Node][]Peer{}
	perApp := map[string]int{}
	for _, p := range s.Peers() {
		rows[p.Node] = append(rows[p.Node], p)
		perApp[p.App]++
		checkPeer(t, s, p)
	}
	for _, q := range s.Queries() {
		if a, ok := s.App(q.App); !ok || a.Removed {
			t.Fatalf("query %s of app %s, which is not in the file", q.Name, q.App)
		}
		if q.EmptyTimes > EmptyEnough || q.EmptyTimes > 0 && !q.Known {
			t.Fatalf("query %+v", q)
		}
	}
	for _, c := range s.Conns() {
		checkConn(t, c, rows[c.Node])
	}
	for _, a := range s.Apps() {
		if a.Removed && perApp[a.Name] == 0 {
			t.Fatalf("app %s has left the file and has no peers", a.Name)
		}
	}
	for _, a := range s.Approvals() {
		if c := s.Conn(a.Node); c.Phase != Up || c.App == "" || wanted(rows[a.Node]) {
			t.Fatalf("approval of %s: %+v, rows %v", a.Node, c, rows[a.Node])
		}
	}
	for _, p := range s.PubSub() {
		if s.Conn(p.Node).Phase != Up {
			t.Fatalf("%+v of a node that is not up", p)
		}
	}
	for _, b := range s.Live().Batches {
		if _, ok := s.App(b.App); !ok {
			t.Fatalf("batch of app %s, which nobody knows", b.App)
		}
	}
}

func checkPeer(t *rapid.T, s Snapshot, p Peer) {
	if _, ok := s.App(p.App); !ok {
		t.Fatalf("peer %s of app %s, which nobody knows", p.Node, p.App)
	}
	if p.GoneSince.IsZero() {
		q, ok := queryTable.get(s.txn, key(p.App, p.Query))
		if !ok || !q.Known {
			t.Fatalf("peer %s is listed by query %+v", p.Node, q)
		}
		return
	}
	if c := s.Conn(p.Node); c.Phase == Down {
		t.Fatalf("peer %s is gone, its link is down, and it is still here", p.Node)
	}
}

func checkConn(t *rapid.T, c Conn, rows []Peer) {
	claims, wants := false, false
	for _, p := range rows {
		claims = claims || p.App == c.App
		wants = wants || p.App == c.App && p.GoneSince.IsZero()
	}
	switch {
	case len(rows) == 0 && (c.App != "" || c.Phase != Up):
		t.Fatalf("nobody claims %+v", c)
	case len(rows) > 0 && !claims, wanted(rows) && !wants:
		t.Fatalf("%+v is not of the app that claims it: %v", c, rows)
	case c.Busy && c.Phase != Up:
		t.Fatalf("%+v is busy", c)
	}
}

// checkIndex checks that the index moves just when a fact that a reviewed plan
// depends on does, and the version when anything does.
func checkIndex(t *rapid.T, before, after Snapshot) {
	changed := !reflect.DeepEqual(facts(before), facts(after))
	if moved := before.moment().Version != after.moment().Version; moved != changed {
		t.Fatalf("version moved: %v, but what changed is %q", moved, cmp.Diff(facts(before), facts(after), plain))
	}
	depends := !reflect.DeepEqual(reviewed(before), reviewed(after))
	if moved := before.Index() != after.Index(); moved != depends {
		t.Fatalf("index moved: %v, but what a plan depends on changed by %q", moved, cmp.Diff(reviewed(before), reviewed(after), plain))
	}
}

type snapshotFacts struct {
	Desired Desired
	Live    Live
	PubSub  []PubSubPeer
}

func facts(s Snapshot) snapshotFacts { return snapshotFacts{s.Desired(), s.Live(), s.PubSub()} }

// reviewed is what a reviewed plan depends on.
func reviewed(s Snapshot) snapshotFacts {
	f := facts(s)
	f.PubSub = nil
	for i := range f.Desired.Queries {
		q := &f.Desired.Queries[i]
		if q.Err != "" {
			q.Err = "some"
		}
		if q.EmptyTimes > 1 {
			q.EmptyTimes = 1
		}
	}
	var up []Conn
	for _, c := range f.Live.Conns {
		if c.Phase == Up {
			c.RetryAt, c.Tries, c.Reason, c.Message, c.Busy, c.Release = time.Time{}, 0, "", "", false, ""
			up = append(up, c)
		}
	}
	f.Live.Conns = up
	var waiting []string
	for _, b := range f.Live.Backlogs {
		if b.Pending > 0 {
			waiting = append(waiting, b.App)
		}
	}
	f.Live.Backlogs = nil
	for _, app := range waiting {
		f.Live.Backlogs = append(f.Live.Backlogs, Backlog{App: app})
	}
	return f
}
