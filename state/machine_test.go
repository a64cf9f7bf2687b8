package state

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// machine does anything to a store, in any order, and checks its promises after
// every step.
type machine struct {
	store *Store
	now   time.Time
}

func TestStoreKeepsItsPromisesWhateverIsRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := New()
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{store: s, now: t0}
		m.spec(t)
		before := s.Snapshot()
		t.Repeat(map[string]func(*rapid.T){
			"spec":    m.spec,
			"answer":  m.answer,
			"again":   m.answer,
			"failure": m.failure,
			"link":    m.link,
			"relink":  m.link,
			"prune":   m.prune,
			"tend":    m.tend,
			"backlog": m.backlog,
			"pubsub":  m.pubsub,
			"time":    func(t *rapid.T) { m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "s")) * time.Second) },
			"": func(t *rapid.T) {
				after := s.Snapshot()
				checkPromises(t, after)
				checkIndex(t, before, after)
				before = after
			},
		})
	})
}

func (m *machine) pubsub(t *rapid.T) {
	p := PubSubPeer{Node: drawNode(t), Scope: rapid.Bool().Draw(t, "scope")}
	if n := rapid.IntRange(0, 2).Draw(t, "pool"); n > 0 {
		p.Pools = []PubSubPool{{Server: "A", Size: n}}
	}
	check(t, m.store.RecordPubSub(p))
}

var (
	testApps    = []string{"a", "b"}
	testQueries = []string{"q", "r"}
)

func drawNode(t *rapid.T) Node {
	return Node(fmt.Sprintf("n%d@h", rapid.IntRange(0, 3).Draw(t, "node")))
}

func (m *machine) spec(t *rapid.T) {
	var spec Spec
	for _, name := range testApps {
		if rapid.IntRange(0, 3).Draw(t, "in file") == 0 {
			continue
		}
		a := App{Name: name, Prune: Prune{After: 30 * time.Second, AllowEmpty: rapid.Bool().Draw(t, "allow empty")}}
		for _, q := range testQueries {
			if len(a.Queries) == 0 || rapid.Bool().Draw(t, "query") {
				a.Queries = append(a.Queries, Lookup{Text: q})
			}
		}
		spec.Apps = append(spec.Apps, a)
	}
	check(t, m.store.SetSpec(spec, m.now))
	var names []string
	for _, a := range m.store.Snapshot().Apps() {
		if !a.Removed {
			names = append(names, a.Name)
		}
	}
	if len(names) != len(spec.Apps) {
		t.Fatalf("apps in the file are %v", names)
	}
}

func (m *machine) answer(t *rapid.T) {
	app, query := rapid.SampledFrom(testApps).Draw(t, "app"), rapid.SampledFrom(testQueries).Draw(t, "query")
	var a Answer
	for range max(0, rapid.IntRange(-2, 4).Draw(t, "found")) {
		a.Found = append(a.Found, Found{Node: drawNode(t), Addr: drawAddr(t)})
	}
	if rapid.IntRange(0, 3).Draw(t, "unasked") == 0 {
		a.Unasked, a.Why = []netip.Addr{drawAddr(t)}, "no answer"
	}
	check(t, m.store.RecordAnswer(app, query, a, m.now))
	before := m.store.Snapshot()
	if len(a.Found) > 0 {
		check(t, m.store.RecordAnswer(app, query, a, m.now.Add(time.Second)))
		if before.moment() != m.store.Snapshot().moment() {
			t.Fatal("the same answer again changed something")
		}
	}
}

func drawAddr(t *rapid.T) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 3).Draw(t, "addr"))})
}

// failure checks that a failed lookup changes no peer and no connection.
func (m *machine) failure(t *rapid.T) {
	before := m.store.Snapshot()
	check(t, m.store.RecordFailure(rapid.SampledFrom(testApps).Draw(t, "app"), "q", rapid.SampledFrom([]string{"SERVFAIL", "timed out"}).Draw(t, "why")))
	after := m.store.Snapshot()
	if d := cmp.Diff(before.Peers(), after.Peers(), plain); d != "" {
		t.Fatalf("a failed lookup changed peers:\n%s", d)
	}
	if d := cmp.Diff(before.Conns(), after.Conns()); d != "" {
		t.Fatalf("a failed lookup changed connections:\n%s", d)
	}
}

func (m *machine) link(t *rapid.T) {
	n := drawNode(t)
	var err error
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0, 1:
		err = m.store.RecordUp(n, uint32(rapid.IntRange(1, 2).Draw(t, "creation")), m.now)
	case 2:
		err = m.store.RecordDown(n, "Silent", "peer fell silent", m.now, time.Time{})
	case 3:
		err = m.store.RecordDialling(n)
		_, wanted := m.store.Snapshot().Wanted(n)
		if !wanted && !errors.Is(err, ErrOvertaken) || wanted && err != nil && len(m.store.Snapshot().Suspended()) == 0 {
			t.Fatalf("dial of a node that is wanted: %v, returned %v", wanted, err)
		}
	case 4:
		err = m.store.RecordDialFailed(n, "Unreachable", "unreachable", m.now.Add(time.Second))
	}
	if !errors.Is(err, ErrOvertaken) {
		check(t, err)
	}
}

// prune cuts what may be cut, and checks that nothing else can be.
func (m *machine) prune(t *rapid.T) {
	before := m.store.Snapshot()
	n := drawNode(t)
	err := m.store.RecordPruned(n, m.now)
	c := before.Conn(n)
	_, wanted := before.Wanted(n)
	if may := c.Phase == Up && c.App != "" && !isSuspended(before, c.App) && !c.Busy && !wanted; may == errors.Is(err, ErrOvertaken) {
		t.Fatalf("cut of %+v, wanted %v: %v", c, wanted, err)
	}
}

func isSuspended(s Snapshot, app string) bool {
	return slices.ContainsFunc(s.Suspended(), func(s Suspension) bool { return s.App == app })
}

// resync begins what may begin, and checks that nothing else can.
func (m *machine) resync(t *rapid.T, n Node) {
	before := m.store.Snapshot()
	creation := uint32(rapid.IntRange(1, 2).Draw(t, "creation"))
	err := m.store.RecordResyncing(n, creation)
	c := before.Conn(n)
	halted := isSuspended(before, c.App) && !slices.ContainsFunc(before.Peers(), func(p Peer) bool {
		return p.Node == n && p.GoneSince.IsZero() && !isSuspended(before, p.App)
	})
	may := c.Phase == Up && c.Creation == creation && c.App != "" && !halted && !c.Busy
	if may == errors.Is(err, ErrOvertaken) {
		t.Fatalf("resync of %+v with %d: %v", c, creation, err)
	}
}

func (m *machine) tend(t *rapid.T) {
	n := drawNode(t)
	switch rapid.IntRange(0, 6).Draw(t, "what") {
	case 0, 1:
		m.resync(t, n)
	case 2:
		check(t, m.store.RecordSynced(n, uint32(rapid.IntRange(1, 2).Draw(t, "creation")), "25"))
	case 3:
		check(t, m.store.RecordSyncFailed(n, uint32(rapid.IntRange(1, 2).Draw(t, "creation")), "ResyncFailed", "no answer", m.now.Add(time.Second)))
	case 5:
		check(t, m.store.Suspend([]Suspension{{App: rapid.SampledFrom(testApps).Draw(t, "app"), At: m.now}}))
	case 6:
		check(t, m.store.Suspend(nil))
	case 4:
		check(t, m.store.Approve([]Node{n, drawNode(t)}, m.now))
	}
}

func (m *machine) backlog(t *rapid.T) {
	app := rapid.SampledFrom(testApps).Draw(t, "app")
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		check(t, m.store.RecordBacklog(app, rapid.IntRange(0, 3).Draw(t, "pending")))
	case 1:
		halted := isSuspended(m.store.Snapshot(), app)
		if err := m.store.RecordDraining(app); halted != errors.Is(err, ErrOvertaken) {
			t.Fatalf("drain of an app that is suspended: %v: %v", halted, err)
		}
	case 2:
		check(t, m.store.RecordDrained(app))
	case 3:
		check(t, m.store.RecordDrainFailed(app, "a@h", false, "HandlerRaised", "raised", m.now.Add(time.Second)))
	}
}

func check(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
