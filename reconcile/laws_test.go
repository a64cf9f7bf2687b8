package reconcile

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ehc/state"
)

func TestOrderOfFactsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := Diff(w.desired, w.live, t0)
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, seed))
		shuffle(r, w.desired.Apps)
		shuffle(r, w.desired.Queries)
		shuffle(r, w.desired.Peers)
		shuffle(r, w.desired.Approvals)
		shuffle(r, w.desired.Suspended)
		shuffle(r, w.live.Conns)
		shuffle(r, w.live.Backlogs)
		shuffle(r, w.live.Batches)
		if d := cmp.Diff(before, Diff(w.desired, w.live, t0)); d != "" {
			t.Fatalf("another order, another plan:\n%s", d)
		}
	})
}

func shuffle[T any](r *rand.Rand, rows []T) {
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
}

func TestTwoPassesAtOneTimeGiveOnePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if d := cmp.Diff(Diff(w.desired, w.live, t0), Diff(w.desired, w.live, t0)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestDoingThePlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		done := map[Action]bool{}
		for pass := 0; ; pass++ {
			w.finish()
			p := Diff(w.desired, w.live, t0)
			if p.Empty() {
				return
			}
			if pass == 12 {
				t.Fatalf("still to do after %d passes: %v", pass, p.Actions)
			}
			for _, a := range p.Actions {
				a.Reason = ""
				if done[a] {
					t.Fatalf("%s %s twice", a.Kind, a.Node)
				}
				done[a] = true
			}
			w.perform(p)
		}
	})
}

func TestNothingChangesBeforeTheWakeTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := Diff(w.desired, w.live, t0)
		if !p.Wake.IsZero() && !p.Wake.After(t0) {
			t.Fatalf("wakes at %v, which is not to come", p.Wake)
		}
		later := in(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "later")))
		if !p.Wake.IsZero() && !later.Before(p.Wake) {
			later = p.Wake.Add(-1)
		}
		if d := cmp.Diff(p, Diff(w.desired, w.live, later)); d != "" {
			t.Fatalf("another plan %v later, before its wake time:\n%s", later.Sub(t0), d)
		}
	})
}

func TestNothingIsDoneToASuspendedApp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for _, a := range Diff(w.desired, w.live, t0).Actions {
			for _, s := range w.desired.Suspended {
				if a.App == s.App {
					t.Fatalf("%s %s of %s, which is suspended", a.Kind, a.Node, a.App)
				}
			}
		}
	})
}

func TestSuspendingAnAppChangesNothingForOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t) // in which each node is of one app
		w.desired.Suspended = nil
		others := func(p Plan) (left Plan) {
			left.Actions = slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return a.App == "a" })
			left.Held = slices.DeleteFunc(slices.Clone(p.Held), func(h Hold) bool { return h.App == "a" })
			return left
		}
		before := others(Diff(w.desired, w.live, t0))
		w.desired.Suspended = []state.Suspension{{App: "a"}}
		if d := cmp.Diff(before, others(Diff(w.desired, w.live, t0)), cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func TestPruneKeepsItsLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := Diff(w.desired, w.live, t0)
		for _, a := range p.Actions {
			if !slices.ContainsFunc(w.desired.Apps, func(r state.AppRow) bool { return r.Name == a.App }) && a.Kind != Connect {
				t.Fatalf("%s %s, which is not ours", a.Kind, a.Node)
			}
		}
		for _, a := range w.desired.Apps {
			checkPrunes(t, w, a, p)
		}
	})
}

// checkPrunes checks what p prunes of one app by the laws, not by Diff's way of
// keeping them.
func checkPrunes(t *rapid.T, w world, a state.AppRow, p Plan) {
	approved, pruned := 0, 0
	for _, act := range p.Actions {
		switch {
		case act.Kind != Prune || act.App != a.Name:
			continue
		case w.isApproved(act.Node):
			approved++
		default:
			pruned++
		}
		if w.isListed(act.Node) {
			t.Fatalf("prune %s, which is listed", act.Node)
		}
		if w.movedAndKept(act.Node) && !w.isApproved(act.Node) {
			t.Fatalf("prune %s although the query that listed it is another app's now, and failed or is empty", act.Node)
		}
	}
	if pruned == 0 {
		return
	}
	live := w.liveOf(a.Name)
	if !a.Removed {
		if w.hasFailed(a.Name) {
			t.Fatalf("prune of %s although a query of it failed", a.Name)
		}
		if w.isEmpty(a.Name) && !a.Prune.AllowEmpty {
			t.Fatalf("prune of %s on an empty answer", a.Name)
		}
		if got := float64(pruned+approved) / float64(live); got > a.Prune.MaxShare {
			t.Fatalf("prune of %v of %s, more than %v", got, a.Name, a.Prune.MaxShare)
		}
	}
	for _, b := range w.live.Batches {
		if b.App == a.Name && t0.Sub(b.At) < grace {
			pruned += b.Count
		}
	}
	if pruned > 1 && 3*pruned > live+live/10 { // 0.34 is a little more than a third
		t.Fatalf("prune of %d of %d of %s within a grace", pruned, live, a.Name)
	}
}

func (w world) isListed(n state.Node) bool {
	return slices.ContainsFunc(w.desired.Peers, func(p state.Peer) bool { return p.Node == n && p.GoneSince.IsZero() })
}

func (w world) isApproved(n state.Node) bool {
	return slices.ContainsFunc(w.desired.Approvals, func(r state.Approval) bool { return r.Node == n })
}

// movedAndKept says that a query which listed n is not its app's any more, and failed
// as another's, or that has an empty answer and does not allow that.
func (w world) movedAndKept(n state.Node) bool {
	asks := func(name string, how func(state.Query, state.AppRow) bool) bool {
		return slices.ContainsFunc(w.desired.Queries, func(q state.Query) bool {
			i := slices.IndexFunc(w.desired.Apps, func(a state.AppRow) bool { return a.Name == q.App && !a.Removed })
			return i >= 0 && q.Name == name && how(q, w.desired.Apps[i])
		})
	}
	keeps := func(q state.Query, a state.AppRow) bool {
		return q.Err != "" || !q.Known || w.isEmpty(a.Name) && !a.Prune.AllowEmpty
	}
	return slices.ContainsFunc(w.desired.Peers, func(p state.Peer) bool {
		own := func(_ state.Query, a state.AppRow) bool { return a.Name == p.App }
		return p.Node == n && !p.GoneSince.IsZero() && !asks(p.Query, own) && asks(p.Query, keeps)
	})
}

func (w world) liveOf(app string) int {
	n := 0
	for _, c := range w.live.Conns {
		if c.App == app && c.Phase == state.Up {
			n++
		}
	}
	return n
}

func (w world) hasFailed(app string) bool {
	return slices.ContainsFunc(w.desired.Queries, func(q state.Query) bool { return q.App == app && (q.Err != "" || !q.Known) })
}

func (w world) isEmpty(app string) bool {
	finds := slices.ContainsFunc(w.desired.Queries, func(q state.Query) bool { return q.App == app && q.EmptyTimes == 0 })
	lists := slices.ContainsFunc(w.desired.Peers, func(p state.Peer) bool { return p.App == app && p.GoneSince.IsZero() })
	return !finds || !lists
}
