package reconcile

import (
	"fmt"
	"slices"
	"time"

	"ehc/state"
)

// facts are the rows of one moment, by node and by app.
type facts struct {
	nodes  []node
	at     map[state.Node]int // where in nodes
	apps   map[string]*app
	askers map[string][]*app // by a query's text: the apps of the file that ask it
	doubts map[string]string // by a query's text: why its answer cannot be relied on now
	none   state.Conn        // what is known of a connection without a row
}

// node is what the rows say of one node.
type node struct {
	name     state.Node
	conn     *state.Conn
	app      *app // that conn.App names; nil if there is none
	wanted   bool
	wantedBy string    // of the apps that list it and are not suspended, or else of all, the first by name
	halted   bool      // wantedBy is suspended
	gone     time.Time // when the last query left it out; zero if no row says so
	unsure   string    // why a query that left it out cannot be relied on now
	movedTo  []*app    // that ask a query which listed it and is not its app's any more
	approved bool
}

// app is what the rows say of one app, and what Diff finds about it.
type app struct {
	state.AppRow
	queries int
	first   string // of its queries, by name
	empty   int    // queries that find nothing
	listed  int    // rows that list a node
	failed  string // the first query, by name, that failed, and why
	unasked string // the first that has not been answered yet
	batch   state.Batch
	halted  bool       // suspended
	shunned state.Node // the node on which a drain failed last; empty if none has
	drainer state.Node // the listed node to drain through; empty if there is none
	kept    state.Node // the kept one to drain through if none is listed

	live     int     // nodes that are up
	due      []*node // those that nothing but a share or their number holds
	approved int     // those that a person has approved
}

func gather(desired state.Desired, live state.Live) *facts {
	most := max(len(live.Conns), len(desired.Peers))
	f := &facts{
		nodes:  make([]node, 0, most),
		at:     make(map[state.Node]int, most),
		apps:   make(map[string]*app, len(desired.Apps)),
		askers: make(map[string][]*app, len(desired.Queries)),
		doubts: map[string]string{},
	}
	for _, a := range desired.Apps {
		f.apps[a.Name] = &app{AppRow: a}
	}
	for _, s := range desired.Suspended {
		if a := f.apps[s.App]; a != nil {
			a.halted = true
		}
	}
	for _, q := range desired.Queries {
		f.query(q)
	}
	for _, b := range live.Batches {
		if a := f.apps[b.App]; a != nil {
			a.batch = b
		}
	}
	for _, b := range live.Backlogs {
		if a := f.apps[b.App]; a != nil {
			a.shunned = b.FailedOn
		}
	}
	for i := range live.Conns {
		c := &live.Conns[i]
		n := f.node(c.Node)
		n.conn, n.app = c, f.apps[c.App]
	}
	for _, p := range desired.Peers {
		f.peer(p)
	}
	for _, a := range desired.Approvals {
		f.node(a.Node).approved = true
	}
	return f
}

// node returns the facts of n, which are valid until the next call.
func (f *facts) node(n state.Node) *node {
	i, ok := f.at[n]
	if !ok {
		i = len(f.nodes)
		f.at[n] = i
		f.nodes = append(f.nodes, node{name: n, conn: &f.none})
	}
	return &f.nodes[i]
}

// query adds a query row. Every app is in already.
func (f *facts) query(q state.Query) {
	a := f.apps[q.App]
	if a == nil || a.Removed {
		return
	}
	f.askers[q.Name] = append(f.askers[q.Name], a)
	a.ask(q)
	if why := unreliable(q); why != "" {
		f.doubts[q.Name] = first(f.doubts[q.Name], why)
	}
}

// peer adds a peer row. Every query and every connection is in already.
func (f *facts) peer(p state.Peer) {
	n, a := f.node(p.Node), f.apps[p.App]
	if p.GoneSince.IsZero() {
		halted := a != nil && a.halted
		if !n.wanted || n.halted && !halted || n.halted == halted && p.App < n.wantedBy {
			n.wanted, n.wantedBy, n.halted = true, p.App, halted
		}
		if a != nil {
			a.listed++
			a.offer(n)
		}
		return
	}
	if p.GoneSince.After(n.gone) {
		n.gone = p.GoneSince
	}
	if a != nil {
		n.unsure = first(n.unsure, a.unsure())
	}
	if now := f.askers[p.Query]; !slices.Contains(now, a) { // another app may ask it, as after a renaming
		n.unsure = first(n.unsure, f.doubts[p.Query])
		n.movedTo = append(n.movedTo, now...)
	}
}

// ask adds a query row.
func (a *app) ask(q state.Query) {
	a.queries++
	a.first = first(a.first, q.Name)
	if q.EmptyTimes > 0 {
		a.empty++
	}
	if q.Err != "" {
		a.failed = first(a.failed, unreliable(q))
	} else {
		a.unasked = first(a.unasked, unreliable(q))
	}
}

// unreliable is why a query's answer cannot be relied on now; empty if it can.
func unreliable(q state.Query) string {
	switch {
	case q.Err != "":
		return fmt.Sprintf("query %s failed: %s", q.Name, q.Err)
	case !q.Known:
		return fmt.Sprintf("query %s has not been answered yet", q.Name)
	}
	return ""
}

// unsure is why the app's answer cannot be relied on now; empty if it can.
func (a *app) unsure() string {
	if a.failed != "" {
		return a.failed
	}
	return a.unasked
}

// forbidsEmpty says that the app's queries find no node and that this must not
// prune any; empty if they do, or if it may.
func (a *app) forbidsEmpty() string {
	switch {
	case a.Removed || a.Prune.AllowEmpty || a.listed > 0 && a.empty < a.queries:
		return ""
	case a.queries == 1:
		return fmt.Sprintf("query %s answers with no nodes; allow_empty is false", a.first)
	}
	return fmt.Sprintf("none of the %d queries answers with a node; allow_empty is false", a.queries)
}

// offer makes n, which the app wants, its drainer if it is the next that can be.
func (a *app) offer(n *node) {
	if n.drains() && a.sooner(n.name, a.drainer) {
		a.drainer = n.name
	}
}

// offerKept does the same for a node that is held.
func (a *app) offerKept(n *node) {
	if n.drains() && a.sooner(n.name, a.kept) {
		a.kept = n.name
	}
}

// sooner says that n comes before than, which may be none, when one goes round
// the nodes by name from the one that is shunned.
func (a *app) sooner(n, than state.Node) bool {
	if than == "" {
		return true
	}
	if passed, other := n <= a.shunned, than <= a.shunned; passed != other {
		return other
	}
	return n < than
}

// drains says that events can be delivered to n.
func (n *node) drains() bool {
	c := n.conn
	return n.app != nil && c.Phase == state.Up && c.Synced == c.Creation && !c.Busy
}

// first is the lesser of two texts, of which an empty one does not count.
func first(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}
