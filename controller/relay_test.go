package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
)

const relayText = worldText + `
peer "b" {
  queries = ["b.internal"]
}
pubsub "A.PubSub" {
  topics = ["metrics:*"]
  relay  = true
}
`

func TestABroadcastOfOneAppIsPassedOnToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, relayText)
		all := &listens{}
		for _, name := range []string{"a1@127.0.0.1", "a2@127.0.0.1", "b1@127.0.0.1", "b2@127.0.0.1", "stranger@127.0.0.1"} {
			p := w.peer(name, nil)
			p.ShowPubSub(map[string]int{"A.PubSub": 1})
			all.to(p, "A.PubSub")
		}
		w.list("a1@127.0.0.1", "a2@127.0.0.1")
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1", "b2@127.0.0.1"}
		if err := w.look.look(w.store, "b", "b.internal"); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		r := w.watch(api.TopicQuery{Topic: "metrics:*"})
		heard := func(want ...string) {
			t.Helper()
			w.settle(time.Second)
			if diff := cmp.Diff(want, all.heard()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", 1)
		heard("b1@127.0.0.1 metrics:x 1", "b2@127.0.0.1 metrics:x 1")
		w.net.Node("b1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", 2)
		heard("a1@127.0.0.1 metrics:x 2", "a2@127.0.0.1 metrics:x 2")
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "secret", 3)
		heard()
		if diff := cmp.Diff("a1@127.0.0.1 A.PubSub metrics:x 1, b1@127.0.0.1 A.PubSub metrics:x 2", nextText(t, r)); diff != "" {
			t.Errorf("who watches has: %s", diff)
		}
		w.ctl.topics.Heard(transport.PubSubMessage{Server: "A.PubSub", Topic: "metrics:x", Node: "stranger@127.0.0.1", Message: 4})
		heard()

		w.net.Node("b1@127.0.0.1").Freeze() // it takes no call; a message is only queued
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", 5)
		heard("b1@127.0.0.1 metrics:x 5", "b2@127.0.0.1 metrics:x 5")
		w.net.Node("b1@127.0.0.1").Thaw()

		w.apply(pubsubText) // without relay, and without b
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", 6)
		heard()
	})
}

func TestWhatCannotBePassedOnInTimeIsDropped(t *testing.T) {
	r := newRelays()
	r.set([]state.PubSub{{Name: "S", Topics: []string{"t"}, Relay: true}, {Name: "Other", Topics: []string{"t"}}})
	for range relaysWaiting + 3 {
		r.add(transport.PubSubMessage{Server: "S", Topic: "t"})
		r.add(transport.PubSubMessage{Server: "S", Topic: "u"})
		r.add(transport.PubSubMessage{Server: "Other", Topic: "t"})
	}
	if n := r.dropped.Load(); n != 3 || len(r.waiting) != relaysWaiting {
		t.Errorf("%d wait and %d were dropped, want %d and 3", len(r.waiting), n, relaysWaiting)
	}
}

func TestWhatWaitsToBePassedOnIsBoundedInBytes(t *testing.T) {
	r := newRelays()
	r.set([]state.PubSub{{Name: "S", Topics: []string{"t"}, Relay: true}})
	for range 100 {
		r.add(transport.PubSubMessage{Server: "S", Topic: "t", Size: 1 << 20})
	}
	if n := r.dropped.Load(); n != 36 || len(r.waiting) != 64 {
		t.Errorf("%d messages of 1 MiB wait and %d were dropped, want 64 and 36", len(r.waiting), n)
	}
}
