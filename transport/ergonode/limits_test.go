package ergonode_test

import (
	"context"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// TestWhatAPeerGivesUpCountsWhileItRuns: a handler goes on when its caller does not
// wait any more, and a peer that calls and gives up again and again could have as many
// of them as it likes.
func TestWhatAPeerGivesUpCountsWhileItRuns(t *testing.T) {
	began, gate := make(chan struct{}, 8), make(chan struct{})
	defer close(gate)
	held := func(context.Context, string, []transport.Term) (transport.Term, error) {
		began <- struct{}{}
		<-gate
		return atom("ok"), nil
	}
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Inbound = 2
		o.Servers = map[string]transport.Handler{"s": held}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f"}: held}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	ask := func(id uint32) {
		b, err := dist.AppendMonitorName(nil, f.pid(1), "s", ref(id))
		f.send(b, err)
		b, err = dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(id)}, 1})
	}
	spawn := func(id uint32) dist.Control {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(id), From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
		f.send(b, err, etf.List{ref(id), atom("m"), atom("f"), etf.List{}})
		return f.next(dist.OpSpawnReply)
	}
	ask(1)
	<-began
	b, err := dist.AppendDemonitorName(nil, f.pid(1), "s", ref(1))
	f.send(b, err)
	child := spawn(2).From
	<-began
	f.send(dist.AppendExit2(nil, f.pid(1), child), nil, atom("kill"))
	if d := f.next(dist.OpDown); d.Ref != ref(2) {
		t.Errorf("the end of a function that is killed: %+v", d)
	}

	if r := spawn(3); !r.Named || r.Name != "system_limit" {
		t.Fatalf("an erpc call while two run: %+v", r)
	}
	ask(4)
	if d := f.next(dist.OpDown); d.Ref != ref(4) || etf.Text(term(t, d.Payload)) != "overloaded" {
		t.Errorf("a gen_server call while two run: %+v", d)
	}
	gate <- struct{}{}
	gate <- struct{}{}
	for ctx, id := within(t), uint32(5); ; id++ { // until both have been counted out
		if r := spawn(id); !r.Named {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("what has returned still counts")
		}
	}
	<-began
}
