package controller

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport/transporttest"
)

// TestAfterAStormAllIsAsAsked: whatever happens to the nodes, and whatever people do
// meanwhile, once it is quiet every node is connected and resynced, nothing is held as
// under way, and every event has arrived, in order.
func TestAfterAStormAllIsAsAsked(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { storm(t, seed) })
		})
	}
}

func storm(t *testing.T, seed uint64) {
	w := newWorld(t)
	refusals := rand.New(rand.NewPCG(seed, 0))
	nodes := []state.Node{"a1@127.0.0.1", "a2@127.0.0.1", "a3@127.0.0.1"}
	peers := map[state.Node]*transporttest.Node{}
	for _, n := range nodes {
		peers[n] = w.peer(string(n), func(string) error { // holds w.mu
			if refusals.IntN(20) == 0 {
				return errors.New("busy")
			}
			return nil
		})
	}
	var emitted []string
	var all sync.WaitGroup
	for i, do := range []func(*rand.Rand){
		func(r *rand.Rand) { emitted = append(emitted, w.emitSome(r.IntN(3))...) },
		func(r *rand.Rand) { trouble(r, peers[nodes[r.IntN(len(nodes))]]) },
		func(r *rand.Rand) {
			w.list(slices.DeleteFunc(slices.Clone(nodes), func(state.Node) bool { return r.IntN(3) == 0 })...)
		},
		w.operate,
	} {
		r := rand.New(rand.NewPCG(seed, uint64(i)+1))
		all.Go(func() {
			for range 200 {
				do(r)
				most := []time.Duration{time.Microsecond, 3 * time.Millisecond, time.Second}[r.IntN(3)]
				time.Sleep(time.Duration(r.Int64N(int64(most))))
			}
		})
	}
	all.Wait()
	for _, n := range peers {
		n.Thaw()
	}
	_, _ = w.ctl.Resume(t.Context(), api.SuspendRequest{App: "a"})
	if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "calm.hcl", Text: worldText}); err != nil {
		t.Fatal(err)
	}
	w.list(nodes...)
	w.settle(10 * time.Minute)
	for _, n := range nodes {
		if c := w.store.Snapshot().Conn(n); c.Phase != state.Up || c.App != "a" || c.Synced != c.Creation || c.Busy {
			t.Errorf("%s is %+v", n, c)
		}
	}
	if b := w.store.Snapshot().Backlog("a"); b.Pending > 0 || b.Draining {
		t.Errorf("the queue is %+v", b)
	}

	if len(emitted) == 0 {
		t.Error("nothing was emitted")
	}
	var first []string
	for _, id := range w.arrived() {
		if !slices.Contains(first, id) {
			first = append(first, id)
		}
	}
	if !slices.Equal(first, emitted) {
		t.Errorf("%d events have arrived, %d for the first time, of %d", len(w.arrived()), len(first), len(emitted))
	}
}

// emitSome emits events for the app a, unless it gets none just now, and returns their ids.
func (w *world) emitSome(n int) (ids []string) {
	for range n {
		e := visit("")
		e.App = "a"
		if got, err := w.ctl.Emit(w.t.Context(), api.EmitRequest{Events: []api.Event{e}}); err == nil {
			ids = append(ids, got.IDs...)
		}
	}
	return ids
}

// trouble does something to a node.
func trouble(r *rand.Rand, n *transporttest.Node) {
	switch r.IntN(6) {
	case 0, 1:
		n.Restart()
	case 2, 3:
		n.Break()
	case 4:
		n.Freeze()
	case 5:
		n.Thaw()
	}
}

// operate does what people do.
func (w *world) operate(r *rand.Rand) {
	ctx, text := w.t.Context(), worldText
	switch r.IntN(6) {
	case 0:
		_, _ = w.ctl.Suspend(ctx, api.SuspendRequest{App: "a"}) // which may not be there
		return
	case 1:
		_, _ = w.ctl.Resume(ctx, api.SuspendRequest{App: "a"})
		return
	case 2:
		text = strings.Replace(text, "deliver {}", "", 1)
	case 3:
		text = strings.Replace(text, `"30s"`, `"0s"`, 1)
	case 4:
		text = strings.Replace(text, `peer "a"`, `peer "b"`, 1)
	}
	if _, err := w.ctl.Apply(ctx, api.ApplyRequest{File: "storm.hcl", Text: text}); err != nil {
		w.t.Error(err)
	}
}
