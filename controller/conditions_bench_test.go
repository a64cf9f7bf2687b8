package controller

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
)

// BenchmarkObserve is what a pass pays for the conditions of ten apps with a
// hundred nodes each, of which one has changed.
func BenchmarkObserve(b *testing.B) {
	store, err := state.New()
	if err != nil {
		b.Fatal(err)
	}
	db, err := disk.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	box, err := outbox.Open(b.Context(), db, state.OutboxSpec{MaxEvents: 1, MaxBytes: 1, MaxDead: 1})
	if err != nil {
		b.Fatal(err)
	}
	spec, now := state.Spec{Generation: 1}, time.Now()
	for i := range 10 {
		name := fmt.Sprintf("app%d", i)
		spec.Apps = append(spec.Apps, state.App{Name: name, Queries: []state.Lookup{{Text: name + ".internal"}}})
	}
	if err := store.SetSpec(spec, now); err != nil {
		b.Fatal(err)
	}
	for _, a := range spec.Apps {
		var answer state.Answer
		for i := range 100 {
			n := state.Node(fmt.Sprintf("%s-%d@10.0.0.%d", a.Name, i, i))
			answer.Found = append(answer.Found, state.Found{Node: n, Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})})
			if err := store.RecordUp(n, 1, now); err != nil {
				b.Fatal(err)
			}
		}
		if err := store.RecordAnswer(a.Name, a.Queries[0].Text, answer, now); err != nil {
			b.Fatal(err)
		}
	}
	c := &Controller{store: store, box: box, log: hclog.NewNullLogger(), config: &Config{spec: spec}}
	o := newObserver(c)
	o.observe(store.Snapshot(), now)
	creation := uint32(1)
	for b.Loop() {
		creation++
		if err := store.RecordUp("app0-0@10.0.0.0", creation, now); err != nil {
			b.Fatal(err)
		}
		o.observe(store.Snapshot(), now)
	}
}
