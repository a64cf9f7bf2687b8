package ergonode_test

import (
	"context"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// TestMonitorsOfFunctionsEndWithThem: one that somebody else holds than who called.
func TestMonitorsOfFunctionsEndWithThem(t *testing.T) {
	gate := make(chan struct{}, 1)
	n := alone(t, func(o *ergonode.Options) {
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f"}: func(ctx context.Context, _ string, _ []transport.Term) (transport.Term, error) {
			select {
			case <-gate:
			case <-ctx.Done():
			}
			return 1, nil
		}}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	seen := func() { // an answer shows that what came before has been seen
		b, err := dist.AppendRegSend(nil, f.pid(1), "net_kernel")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), 1}, etf.Tuple{atom("is_auth"), atom("a")}})
		f.next(dist.OpSend)
	}
	started := func(id uint32) etf.Pid {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(id), From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4})
		f.send(b, err, etf.List{ref(id), atom("m"), atom("f"), etf.List{}})
		pid := f.next(dist.OpSpawnReply).From
		f.send(dist.AppendMonitor(nil, f.pid(2), pid, ref(id+100)), nil)
		seen()
		return pid
	}
	ended := func(id uint32, reason string) {
		t.Helper()
		if d := f.next(dist.OpDown); d.Ref != ref(id+100) || d.To != f.pid(2) || etf.Text(term(t, d.Payload)) != reason {
			t.Errorf("%+v, want the end of %d by %s", d, id, reason)
		}
	}
	killed := started(1)
	f.send(dist.AppendExit2(nil, f.pid(1), killed), nil, atom("kill"))
	ended(1, "killed")
	f.send(dist.AppendExit2(nil, f.pid(1), started(2)), nil, atom("normal")) // nothing dies of it
	seen()
	gate <- struct{}{}
	ended(2, "normal")
	f.send(dist.AppendMonitor(nil, f.pid(2), killed, ref(103)), nil)
	ended(3, "noproc")
}
