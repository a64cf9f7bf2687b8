package controller

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ehc/state"
)

// TestADrainGoesByWhatItsPlanWentBy: while a new file is being put in force, the store
// has it before anything else.
func TestADrainGoesByWhatItsPlanWentBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText)
		w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		spec := w.ctl.config.Spec()
		deliver := spec.Apps[0].Deliver
		spec.Apps = slices.Clone(spec.Apps)
		spec.Apps[0].Deliver = nil
		if err := w.ctl.enforce(spec); err != nil {
			t.Fatal(err)
		}
		ids := w.emit(3)
		w.settle(time.Minute)
		if got := w.arrived(); len(got) > 0 {
			t.Fatalf("without a deliver block %d have arrived", len(got))
		}
		spec.Apps = slices.Clone(spec.Apps)
		spec.Apps[0].Deliver = deliver
		if err := w.store.SetSpec(spec, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Minute)
		if got := w.arrived(); !slices.Equal(got, ids) {
			t.Errorf("%d of 3 have arrived", len(got))
		}
	})
}

// TestAResyncOfALostIncarnationDoesNotBegin: the peer restarted after its connection was
// looked up, and before the row is marked. Nothing would take the mark off.
func TestAResyncOfALostIncarnationDoesNotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const node = state.Node("a1@127.0.0.1")
		n := w.peer(string(node), nil)
		w.list(node)
		w.settle(time.Second)
		before := w.ctl.links.Get(node)
		n.Restart()
		w.settle(time.Minute)
		links := w.ctl.links
		links.mu.Lock()
		now := links.conns[node]
		links.conns[node] = linked{raw: now.raw, used: before}
		links.mu.Unlock()
		if err := w.ctl.effects.Resync(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Minute)
		if c := w.store.Snapshot().Conn(node); c.Creation == before.Peer().Creation || c.Busy {
			t.Errorf("after incarnation %d: %+v", before.Peer().Creation, c)
		}
	})
}

// TestAStoreThatFailsIsNotTriedAllTheTime: the peer is given the same events at each try.
func TestAStoreThatFailsIsNotTriedAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", func(string) error { return w.db.Close() })
		w.emit(1)
		w.list("a1@127.0.0.1")
		w.settle(10 * time.Minute)
		b := w.store.Snapshot().Backlog("a")
		if b.Reason != "OutboxFailed" || b.Tries < 5 || b.Tries > 40 {
			t.Errorf("after ten minutes: %+v", b)
		}
	})
}

// TestWhatIsNotStruckOutIsNotDelivered: it comes again.
func TestWhatIsNotStruckOutIsNotDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const node = state.Node("a1@127.0.0.1")
		w.peer(string(node), func(string) error { return w.db.Close() })
		w.list(node)
		w.settle(time.Second)
		a := w.ctl.config.Spec().Apps[0]
		turn := w.ctl.effects.queues.turn(a.Name)
		turn.Lock() // the loop's own drain waits
		defer turn.Unlock()
		w.emit(1)
		moved, err := w.ctl.effects.drain(t.Context(), w.ctl.links.Get(node), a)
		if err == nil || moved.delivered != 0 || len(w.arrived()) != 1 {
			t.Errorf("%d have arrived, %d are said to be delivered: %v", len(w.arrived()), moved.delivered, err)
		}
	})
}
