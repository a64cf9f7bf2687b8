package ergonode_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

func TestAPanicOfAHandlerEndsOneCall(t *testing.T) {
	var log strings.Builder
	breaks := func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		if args[0] == atom("break") {
			panic("broken")
		}
		return args[0], nil
	}
	n := alone(t, func(o *ergonode.Options) {
		o.Log = hclog.New(&hclog.LoggerOptions{Output: &log})
		o.Servers = map[string]transport.Handler{"s": breaks}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: breaks}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	toServer := func(message etf.Term) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, message)
	}
	ended := func(id uint32) {
		t.Helper()
		if d := f.next(dist.OpDown); d.Ref != ref(id) || !strings.Contains(etf.Text(term(t, d.Payload)), "a fault of the handler's") {
			t.Errorf("call %d ends with %s", id, etf.Text(term(t, d.Payload)))
		}
	}
	toServer(etf.Tuple{atom("$gen_cast"), atom("break")})

	b, err := dist.AppendMonitorName(nil, f.pid(1), "s", ref(1))
	f.send(b, err)
	toServer(etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(1)}, atom("break")})
	ended(1)

	b, err = dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(2), From: f.pid(1), Leader: f.pid(1),
		Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
	f.send(b, err, etf.List{ref(2), atom("m"), atom("f"), etf.List{atom("break")}})
	ended(2)

	toServer(etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(3)}, atom("go on")})
	if got := etf.Text(term(t, f.next(dist.OpSend).Payload)); !strings.HasSuffix(got, ",'go on'}") {
		t.Errorf("the next call gives %s", got)
	}
	n.Stop()
	if got := strings.Count(log.String(), "cause=broken"); got != 3 {
		t.Errorf("%d panics are in the log:\n%s", got, log.String())
	}
}
