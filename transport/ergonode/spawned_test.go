package ergonode

import (
	"net"
	"testing"

	"ehc/transport/dist"
	"ehc/transport/etf"
)

// A peer may hold many monitors and call often: at the end of a call they are gone
// through only if one of them is on its process.
func TestTheEndOfACallLooksForNobodyWhoHasNotAsked(t *testing.T) {
	n := &Node{o: Options{Limits: Limits{Queue: 1 << 20, Frame: 1 << 20, Monitors: 10, Inbound: 10, Bytes: 1 << 20}}, self: dist.Node{Name: "ehc@127.0.0.1", Creation: 1}}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	l := newLink(&peer{node: n}, ours, dist.Node{Name: "a@127.0.0.1", Creation: 77}, true)
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: "a@127.0.0.1", Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	for _, noted := range []bool{false, true} {
		s := &spawned{pid: etf.Pid{Node: "ehc@127.0.0.1", ID: 1, Serial: spawnSerial, Creation: 1}, request: ref(1), cancel: func() {}}
		l.spawned[s.pid.ID] = s
		if noted {
			l.monitored(dist.Control{Op: dist.OpMonitor, From: etf.Pid{Node: "a@127.0.0.1", ID: 2, Creation: 77}, To: s.pid, Ref: ref(2)})
		}
		l.watches[ref(3)] = watch{pid: s.pid} // as no signal sets it
		l.finish(s, etf.Atom("normal"))
		if _, left := l.watches[ref(3)]; left == noted || len(l.spawned) != 0 {
			t.Errorf("watched %v: gone through %v, %d spawned", noted, !left, len(l.spawned))
		}
	}
}
