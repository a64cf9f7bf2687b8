package reconcile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ehc/state"
)

// cluster is a store, the world it knows, and effects that end when the test says
// so: discovery answers, links break, peers restart, and in between passes run.
type cluster struct {
	t     *rapid.T
	store *state.Store
	now   time.Time

	under  []func() // actions under way, each to be ended
	listed map[state.Node]bool
	cuts   []cut
}

// cut is a prune, and how many links of the app were live just before.
type cut struct {
	at   time.Time
	live int
}

const simNodes = 10

func TestClusterConvergesThroughAnyTrouble(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := state.New()
		if err != nil {
			t.Fatal(err)
		}
		c := &cluster{t: t, store: s, now: t0, listed: map[state.Node]bool{}}
		c.ok(s.SetSpec(state.Spec{Apps: []state.App{media().App}}, c.now))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			c.event()
			c.pass()
		}
		c.calm()
		c.checkCalm()
		c.checkPace()
	})
}

func (c *cluster) ok(err error) {
	if err != nil {
		c.t.Fatal(err)
	}
}

func simNode(i int) state.Node { return state.Node(fmt.Sprintf("n%d@h", i)) }

// event is one thing that happens.
func (c *cluster) event() {
	n := simNode(rapid.IntRange(0, simNodes-1).Draw(c.t, "node"))
	switch rapid.IntRange(0, 9).Draw(c.t, "event") {
	case 0, 1, 2:
		c.lookUp()
	case 3:
		c.ok(c.store.RecordFailure("media", "media.internal", "timed out"))
	case 4:
		c.ok(c.store.RecordDown(n, "Silent", "peer fell silent", c.now, time.Time{}))
	case 5:
		c.ok(c.store.RecordUp(n, uint32(rapid.IntRange(1, 3).Draw(c.t, "creation")), c.now))
	case 6:
		c.ok(c.store.RecordBacklog("media", rapid.IntRange(0, 3).Draw(c.t, "pending")))
	case 7, 8:
		c.now = c.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(c.t, "seconds")) * time.Second)
	case 9:
		c.end()
	}
}

// lookUp makes discovery answer with some of the nodes, at times with none.
func (c *cluster) lookUp() {
	clear(c.listed)
	if rapid.IntRange(0, 4).Draw(c.t, "empty") > 0 {
		for i := range simNodes {
			if rapid.IntRange(0, 3).Draw(c.t, "listed") > 0 {
				c.listed[simNode(i)] = true
			}
		}
	}
	c.answer()
}

func (c *cluster) answer() {
	var a state.Answer
	for n := range c.listed {
		a.Found = append(a.Found, state.Found{Node: n})
	}
	c.ok(c.store.RecordAnswer("media", "media.internal", a, c.now))
}

// pass is one pass of the loop.
func (c *cluster) pass() Plan {
	snap := c.store.Snapshot()
	p := Diff(snap.Desired(), snap.Live(), c.now)
	c.ok(Apply(context.Background(), p, c))
	return p
}

// end ends every action that is under way.
func (c *cluster) end() {
	ends := c.under
	c.under = nil
	for _, end := range ends {
		end()
	}
}

// Connect dials; the dial may fail.
func (c *cluster) Connect(_ context.Context, n state.Node) error {
	fails := rapid.IntRange(0, 2).Draw(c.t, "dial fails") == 0
	c.under = append(c.under, func() {
		if fails {
			c.ok(c.store.RecordDialFailed(n, "Unreachable", "unreachable", c.now.Add(time.Second)))
			return
		}
		c.ok(c.store.RecordUp(n, 9, c.now))
	})
	return c.store.RecordDialling(n)
}

// Prune cuts the link.
func (c *cluster) Prune(_ context.Context, n state.Node) error {
	live := 0
	for _, conn := range c.store.Snapshot().Conns() {
		if conn.App == "media" && conn.Phase == state.Up {
			live++
		}
	}
	c.cuts = append(c.cuts, cut{c.now, live})
	c.under = append(c.under, func() { c.ok(c.store.RecordDown(n, "Closed", "closed by us", c.now, time.Time{})) })
	return c.store.RecordPruned(n, c.now)
}

// Resync may fail.
func (c *cluster) Resync(_ context.Context, n state.Node) error {
	fails := rapid.IntRange(0, 2).Draw(c.t, "resync fails") == 0
	creation := c.store.Snapshot().Conn(n).Creation
	c.under = append(c.under, func() {
		if fails {
			c.ok(c.store.RecordSyncFailed(n, creation, "ResyncFailed", "no answer", c.now.Add(time.Second)))
			return
		}
		c.ok(c.store.RecordSynced(n, creation, "25"))
	})
	return c.store.RecordResyncing(n, creation)
}

// Drain empties the queue.
func (c *cluster) Drain(_ context.Context, n state.Node, app string) error {
	if conn := c.store.Snapshot().Conn(n); conn.Phase != state.Up {
		return errors.New("drain through a node that is not up")
	}
	c.under = append(c.under, func() {
		c.ok(c.store.RecordBacklog(app, 0))
		c.ok(c.store.RecordDrained(app))
	})
	return c.store.RecordDraining(app)
}

// calm lets discovery go on answering with what it last listed, and time go by,
// until no pass has anything to do now or later.
func (c *cluster) calm() {
	for range 500 {
		c.answer()
		c.end()
		p := c.pass()
		switch {
		case !p.Empty() || len(c.under) > 0:
		case !p.Wake.IsZero():
			c.now = p.Wake
		case c.store.Snapshot().Queries()[0].EmptyTimes%state.EmptyEnough == 0:
			return
		}
	}
	c.t.Fatal("it never comes to rest")
}

// checkCalm checks that what is listed is up and resynced, that nothing waits,
// and that what is up without being listed is held by a guard or is nobody's.
func (c *cluster) checkCalm() {
	snap := c.store.Snapshot()
	p := Diff(snap.Desired(), snap.Live(), c.now)
	guarded := map[state.Node]bool{}
	for _, h := range p.Held {
		guarded[h.Node] = h.Prune
	}
	for n := range c.listed {
		if conn := snap.Conn(n); conn.Phase != state.Up || conn.Synced != conn.Creation {
			c.t.Fatalf("%s is listed, and at rest it is %+v", n, conn)
		}
	}
	for _, conn := range snap.Conns() {
		if conn.Phase == state.Up && conn.App != "" && !c.listed[conn.Node] && !guarded[conn.Node] {
			c.t.Fatalf("%s is up, not listed, and nothing holds it", conn.Node)
		}
	}
	if b := snap.Backlog("media"); len(c.listed) > 0 && b.Pending > 0 {
		c.t.Fatalf("at rest still waiting: %+v", b)
	}
}

// checkPace checks that within any grace at most a third of the live links were
// cut, or one.
func (c *cluster) checkPace() {
	for i, first := range c.cuts {
		n, live := 0, 0
		for _, k := range c.cuts[i:] {
			if k.at.Sub(first.at) < grace {
				n, live = n+1, max(live, k.live)
			}
		}
		if n > 1 && float64(n) > 0.34*float64(live)+rounding {
			c.t.Fatalf("%d of %d cut within a grace", n, live)
		}
	}
}
