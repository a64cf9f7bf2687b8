package ergonode

import (
	"context"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// Whoever watches a worker of Phoenix.PubSub hears of its end when its server is followed
// no longer, as of that of any process.
func TestTheEndOfAWorkerIsTold(t *testing.T) {
	n := played(t, func(context.Context, string, []transport.Term) (transport.Term, error) { return etf.Atom("ok"), nil })
	n.Follow([]transport.PubSubServer{{Name: "A.PubSub"}, {Name: "B.PubSub"}})
	l := play(n, "a@127.0.0.1", 77)
	defer l.hangUp(t)
	theirs := func(id uint32) etf.Pid { return etf.Pid{Node: "a@127.0.0.1", ID: id, Creation: 77} }
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: "a@127.0.0.1", Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	n.party.mu.Lock()
	ends, stays := n.party.workers["A.PubSub"], n.party.workers["B.PubSub"]
	n.party.mu.Unlock()
	for _, c := range []dist.Control{
		{Op: dist.OpMonitor, From: theirs(1), To: ends, Ref: ref(1)},
		{Op: dist.OpMonitor, From: theirs(1), Name: "Elixir.A.PubSub.Adapter", Named: true, Ref: ref(2)},
		{Op: dist.OpLink, From: theirs(1), To: ends},
		{Op: dist.OpMonitor, From: theirs(2), To: stays, Ref: ref(3)},
		{Op: dist.OpMonitor, From: theirs(2), Name: "Elixir.B.PubSub.Adapter", Named: true, Ref: ref(4)},
		{Op: dist.OpLink, From: theirs(2), To: stays},
	} {
		l.dispatch(c)
	}
	l.said(t)
	n.Follow([]transport.PubSubServer{{Name: "B.PubSub"}})
	told := 0
	for _, c := range l.said(t) {
		switch c.Op {
		case dist.OpDown, dist.OpExit:
			if told++; c.To != theirs(1) {
				t.Errorf("%+v", c)
			}
		}
	}
	if told != 3 {
		t.Errorf("%d of 3 are told", told)
	}
}
