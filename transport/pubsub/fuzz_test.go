package pubsub_test

import (
	"testing"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
	"ehc/transport/transporttest/corpus"
)

// Whatever a peer sends to our scope: nothing goes to anybody but its own scope and
// those that are known, and nothing but discover and sync.
func FuzzScopeMessage(f *testing.F) {
	corpus.Hurry(f)
	group := pubsub.Adapter("A.PubSub")
	for _, m := range []etf.Term{
		etf.Tuple{etf.Atom("discover"), peerScope}, etf.Tuple{etf.Atom("discover"), peerScope, 1},
		cast(etf.Atom("sync"), peerScope, members("A.PubSub", 1, 2)), cast(etf.Atom("local_data"), peerScope, 1, etf.Map{{Key: group, Value: etf.List{peerScope}}}),
		etf.Tuple{etf.Atom("join"), peerScope, group, peerScope}, etf.Tuple{etf.Atom("leave"), peerScope, etf.List{peerScope}, etf.List{group}},
		etf.Tuple{etf.Atom("update"), peerScope, etf.List{etf.Tuple{group, etf.List{peerScope}, etf.List{}}}}, pubsub.Forward("t", 1),
	} {
		b, err := etf.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := etf.Decode(b)
		if err != nil {
			return
		}
		pubsub.Forwarded(m)
		pubsub.EventOf(m)
		s := pubsub.NewScope(self, worker)
		s.Follow([]transport.PubSubServer{{Name: "A.PubSub"}})
		s.Up(peerName)
		for range 2 {
			for _, out := range s.Message(peerName, m) {
				checkSignal(t, out)
			}
		}
		s.Changed()
	})
}

func checkSignal(t *testing.T, s pubsub.Signal) {
	t.Helper()
	if s.Node != peerName || s.Pid.Node != peerName && s.Pid != (etf.Pid{}) {
		t.Fatalf("%+v goes to another node", s)
	}
	if s.Op == pubsub.Monitor {
		return
	}
	m := s.Message.(etf.Tuple)
	if m[0] == etf.Term(etf.Atom("discover")) && len(m) == 2 {
		return
	}
	if inner, ok := m[1].(etf.Tuple); !ok || m[0] != etf.Term(etf.Atom("$gen_cast")) || inner[0] != etf.Term(etf.Atom("sync")) {
		t.Fatalf("no scope may be sent %s", etf.Text(m))
	}
	if _, err := etf.Encode(m); err != nil {
		t.Fatalf("%s cannot be sent: %v", etf.Text(m), err)
	}
}
