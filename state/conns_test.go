package state

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestConns(t *testing.T) {
	retry := t0.Add(time.Minute)
	upA := Conn{Node: "a@h", App: "media", Phase: Up, Since: t0, Creation: 7}
	tests := []struct {
		name string
		do   func(one)
		want Conn
	}{
		{name: "a connection of a node that nobody lists is nobody's", do: func(o one) {
			o.up("a@h")
		}, want: Conn{Node: "a@h", Phase: Up, Since: t0, Creation: 7}},
		{name: "a connection is claimed when its node is listed", do: func(o one) {
			o.up("a@h")
			o.finds("a@h")
		}, want: upA},
		{name: "a connection of nobody's node leaves when it ends", do: func(o one) {
			o.up("a@h")
			o.down("a@h")
		}},
		{name: "a lost connection may be dialled at once", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.down("a@h")
		}, want: Conn{Node: "a@h", App: "media", Since: t0, Creation: 7, Reason: "Silent", Message: "peer fell silent"}},
		{name: "a dial keeps why the last one failed", do: func(o one) {
			o.finds("a@h")
			o.ok(o.RecordDialling("a@h"))
			o.ok(o.RecordDialFailed("a@h", "CookieRejected", "cookie rejected", retry))
			o.ok(o.RecordDialling("a@h"))
		}, want: Conn{Node: "a@h", App: "media", Phase: Dialling, RetryAt: retry, Tries: 1, Reason: "CookieRejected", Message: "cookie rejected"}},
		{name: "a connection forgets why dials failed, not how often", do: func(o one) {
			o.finds("a@h")
			o.ok(o.RecordDialling("a@h"))
			o.ok(o.RecordDialFailed("a@h", "CookieRejected", "cookie rejected", retry))
			o.up("a@h")
		}, want: tried(upA, 1)},
		{name: "a connection that did not last counts as a try and waits for its retry", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordDown("a@h", "Silent", "peer fell silent", t0, retry))
			o.up("a@h")
			o.ok(o.RecordDown("a@h", "Silent", "peer fell silent", t0, retry))
		}, want: Conn{Node: "a@h", App: "media", Since: t0, Creation: 7, RetryAt: retry, Tries: 2, Reason: "Silent", Message: "peer fell silent"}},
		{name: "one that lasted forgets the tries before it", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordDown("a@h", "Silent", "peer fell silent", t0, retry))
			o.up("a@h")
			o.down("a@h")
		}, want: Conn{Node: "a@h", App: "media", Since: t0, Creation: 7, Reason: "Silent", Message: "peer fell silent"}},
		{name: "a dial that fails although the peer has dialled changes nothing", do: func(o one) {
			o.finds("a@h")
			o.ok(o.RecordDialling("a@h"))
			o.up("a@h")
			o.ok(o.RecordDialFailed("a@h", "Yielded", "gave way", retry))
		}, want: upA},
		{name: "a connection that is up stays up when a dial begins", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordDialling("a@h"))
		}, want: upA},
		{name: "a connection that is lost while its peer is resynced is not busy", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordResyncing("a@h", 7))
			o.down("a@h")
		}, want: Conn{Node: "a@h", App: "media", Since: t0, Creation: 7, Reason: "Silent", Message: "peer fell silent"}},
		{name: "a resync with another incarnation does not count", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordSynced("a@h", 6, "25"))
		}, want: upA},
		{name: "the same incarnation come back is still resynced", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordResyncing("a@h", 7))
			o.ok(o.RecordSynced("a@h", 7, "25"))
			o.down("a@h")
			o.up("a@h")
		}, want: Conn{Node: "a@h", App: "media", Phase: Up, Since: t0, Creation: 7, Synced: 7, Release: "25"}},
		{name: "a restarted peer may run another release", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordSynced("a@h", 7, "25"))
			o.ok(o.RecordUp("a@h", 8, t0))
		}, want: Conn{Node: "a@h", App: "media", Phase: Up, Since: t0, Creation: 8, Synced: 7}},
		{name: "a failed resync waits for its retry", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordResyncing("a@h", 7))
			o.ok(o.RecordSyncFailed("a@h", 7, "ResyncFailed", "no answer", retry))
		}, want: Conn{Node: "a@h", App: "media", Phase: Up, Since: t0, Creation: 7, RetryAt: retry, Tries: 1, Reason: "ResyncFailed", Message: "no answer"}},
		{name: "a resync that ends after its connection changes nothing", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordResyncing("a@h", 7))
			o.down("a@h")
			o.up("a@h")
			o.ok(o.RecordSyncFailed("a@h", 7, "ResyncFailed", "not connected", retry))
		}, want: upA},
		{name: "a failed resync with another incarnation leaves the one under way", do: func(o one) {
			o.finds("a@h")
			o.up("a@h")
			o.ok(o.RecordResyncing("a@h", 7))
			o.ok(o.RecordSyncFailed("a@h", 6, "ResyncFailed", "not connected", retry))
		}, want: Conn{Node: "a@h", App: "media", Phase: Up, Since: t0, Creation: 7, Busy: true}},
		{name: "a dial that is given up leaves the row as it was", do: func(o one) {
			o.finds("a@h")
			o.ok(o.RecordDialling("a@h"))
			o.ok(o.RecordDialFailed("a@h", "CookieRejected", "cookie rejected", retry))
			o.ok(o.RecordDialling("a@h"))
			o.ok(o.RecordUndialled("a@h"))
		}, want: Conn{Node: "a@h", App: "media", RetryAt: retry, Tries: 1, Reason: "CookieRejected", Message: "cookie rejected"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOne(t, Prune{})
			tt.do(o)
			if d := cmp.Diff(tt.want, o.Snapshot().Conn("a@h")); d != "" {
				t.Errorf("conn (-want +got):\n%s", d)
			}
		})
	}
}

func TestActionsThatFactsHaveOvertakenAreRefused(t *testing.T) {
	o := newOne(t, Prune{})
	o.finds("a@h", "b@h")
	o.up("a@h")
	o.up("remsh@h")
	for what, err := range map[string]error{
		"dial of a node that nobody lists":    o.RecordDialling("c@h"),
		"prune of a node that is listed":      o.RecordPruned("a@h", t0),
		"prune of a node that is down":        o.RecordPruned("b@h", t0),
		"prune of a connection of nobody's":   o.RecordPruned("remsh@h", t0),
		"prune of a node that nobody knows":   o.RecordPruned("c@h", t0),
		"prune of a node that is cut already": o.cutTwice("a@h"),
	} {
		if !errors.Is(err, ErrOvertaken) {
			t.Errorf("%s: %v, want ErrOvertaken", what, err)
		}
	}
}

func (o one) cutTwice(n Node) error {
	o.finds("b@h")
	o.ok(o.RecordPruned(n, t0))
	return o.RecordPruned(n, t0)
}

func TestBatchCountsWhatGoesWithinOneGrace(t *testing.T) {
	o := newOne(t, Prune{After: 30 * time.Second})
	o.finds("a@h", "b@h", "c@h", "d@h")
	for _, n := range []Node{"a@h", "b@h", "c@h"} {
		o.up(n)
	}
	o.finds("d@h")
	for i, tt := range []struct {
		node  Node
		after time.Duration
		want  int
	}{{"a@h", 0, 1}, {"b@h", 29 * time.Second, 2}, {"c@h", 59 * time.Second, 1}} {
		at := t0.Add(tt.after)
		o.ok(o.RecordPruned(tt.node, at))
		want := []Batch{{App: "media", At: at, Count: tt.want}}
		if d := cmp.Diff(want, o.Snapshot().Live().Batches); d != "" {
			t.Errorf("after prune %d (-want +got):\n%s", i+1, d)
		}
	}
}

func TestBatchLeavesWithItsApp(t *testing.T) {
	o := newOne(t, Prune{After: 30 * time.Second})
	o.finds("a@h")
	o.up("a@h")
	o.ok(o.SetSpec(Spec{}, t0))
	o.ok(o.RecordPruned("a@h", t0))
	o.down("a@h")
	if got := o.Snapshot().Live().Batches; len(got) != 0 {
		t.Errorf("batches of an app that is gone: %v", got)
	}
}

func TestNodeOfTwoAppsStaysWithTheOneThatHasIt(t *testing.T) {
	o := newOne(t, Prune{})
	audio := App{Name: "audio", Queries: []Lookup{{Text: "q"}}}
	o.ok(o.SetSpec(Spec{Apps: []App{audio, mediaApp(Prune{})}}, t0))
	claim := func(want string) {
		t.Helper()
		if got := o.Snapshot().Conn("a@h").App; got != want {
			t.Errorf("claimed by %q, want %q", got, want)
		}
	}
	o.up("a@h")
	o.finds("a@h")
	o.ok(o.RecordAnswer("audio", "q", Answer{Found: []Found{{Node: "a@h"}}}, t0))
	claim("media")
	o.finds("b@h")
	claim("audio") // the only one that wants it now
	o.finds("a@h")
	claim("audio")
}

func TestApprovalEndsWhenItsNodeIsListedAgain(t *testing.T) {
	o := newOne(t, Prune{})
	o.finds("a@h", "b@h")
	o.up("a@h")
	o.up("b@h")
	o.finds("b@h")
	o.ok(o.Approve([]Node{"a@h", "b@h", "c@h"}, t0))
	if d := cmp.Diff([]Approval{{Node: "a@h", At: t0}}, o.Snapshot().Approvals()); d != "" {
		t.Errorf("approvals (-want +got):\n%s", d)
	}
	before := o.Snapshot().Index()
	o.ok(o.Approve([]Node{"a@h"}, t0.Add(time.Second)))
	if after := o.Snapshot().Index(); after != before {
		t.Errorf("the same approval again moved the index from %d to %d", before, after)
	}
	o.finds("a@h", "b@h")
	if got := o.Snapshot().Approvals(); len(got) != 0 {
		t.Errorf("approvals of listed nodes: %v", got)
	}
}

func TestBacklog(t *testing.T) {
	o := newOne(t, Prune{})
	retry := t0.Add(time.Minute)
	check := func(name string, err error, want Backlog) {
		t.Helper()
		o.ok(err)
		want.App = "media"
		if d := cmp.Diff(want, o.Snapshot().Backlog("media")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	check("what waits", o.RecordBacklog("media", 3), Backlog{Pending: 3})
	check("a drain under way", o.RecordDraining("media"), Backlog{Pending: 3, Draining: true})
	failed := Backlog{Pending: 3, RetryAt: retry, Tries: 1, FailedOn: "a@h", Reason: "HandlerRaised", Message: "raised"}
	check("a failure", o.RecordDrainFailed("media", "a@h", false, "HandlerRaised", "raised", retry), failed)
	failed.Tries = 2
	check("a second", o.RecordDrainFailed("media", "a@h", false, "HandlerRaised", "raised", retry), failed)
	failed.Tries = 1
	check("one after some were delivered", o.RecordDrainFailed("media", "a@h", true, "HandlerRaised", "raised", retry), failed)
	check("a good end", o.RecordDrained("media"), Backlog{Pending: 3, FailedOn: "a@h"})
	check("a failure again", o.RecordDrainFailed("media", "a@h", false, "HandlerRaised", "raised", retry), failed)
	o.finds("a@h", "b@h")
	o.ok(o.RecordUp("b@h", 1, t0))
	check("the end of another node's link", o.RecordDown("b@h", "Disconnected", "gone", t0, time.Time{}), failed)
	o.ok(o.RecordUp("a@h", 1, t0))
	failed.RetryAt = time.Time{}
	check("the end of the link", o.RecordDown("a@h", "Disconnected", "gone", t0, time.Time{}), failed)
	o.ok(o.RecordUp("a@h", 2, t0))
	failed.Tries, failed.RetryAt = 2, retry
	check("a failure there", o.RecordDrainFailed("media", "a@h", false, "HandlerRaised", "raised", retry), failed)
	failed.RetryAt = time.Time{}
	check("another incarnation in its place", o.RecordUp("a@h", 3, t0), failed)
	check("an empty queue", o.RecordBacklog("media", 0), Backlog{FailedOn: "a@h"})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := newOne(t, Prune{})
		snap := o.Snapshot()
		o.finds("a@h")
		o.ok(snap.Wait(ctx, time.Time{})) // it has changed before

		snap = o.Snapshot()
		woken := make(chan error, 1)
		go func() { woken <- snap.Wait(ctx, time.Time{}) }()
		o.ok(o.RecordDialFailed("a@h", "Unreachable", "unreachable", t0)) // nothing was dialled: changes nothing
		o.finds("a@h")
		synctest.Wait()
		select {
		case <-woken:
			t.Fatal("a write that changes nothing wakes")
		default:
		}
		o.ok(o.RecordDialling("a@h"))
		o.ok(<-woken)
		if o.Snapshot().Index() != snap.Index() {
			t.Error("a dial moved the index")
		}

		snap = o.Snapshot()
		o.ok(snap.Wait(ctx, time.Now().Add(time.Hour)))
		cancel()
		if err := snap.Wait(ctx, time.Time{}); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

func TestForkAndStoreDoNotSeeEachOther(t *testing.T) {
	o := newOne(t, Prune{})
	o.finds("a@h")
	fork, err := o.Fork()
	o.ok(err)
	snap := o.Snapshot()
	o.ok(fork.SetSpec(Spec{}, t0))
	if len(fork.Snapshot().Peers()) != 0 || len(o.Snapshot().Peers()) != 1 {
		t.Errorf("fork %v, store %v", fork.Snapshot().Peers(), o.Snapshot().Peers())
	}
	if o.Snapshot().moment() != snap.moment() {
		t.Error("the fork moved the store's index")
	}
	// A write to the fork must not wake those who wait for the store.
	changed, _, err := snap.txn.FirstWatch(momentTable.name, byKey, key("now"))
	o.ok(err)
	select {
	case <-changed:
		t.Error("a write to the fork wakes those who wait for the store")
	default:
	}
}

func tried(c Conn, tries int) Conn {
	c.Tries = tries
	return c
}
