package ergonode_test

import (
	"context"
	"strings"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// TestCastsMayHaveAHandlerOfTheirOwn: what waits for an answer before it returns is
// not what casts want.
func TestCastsMayHaveAHandlerOfTheirOwn(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	took := make(chan etf.Term, 2)
	n := start(t, e, func(o *ergonode.Options) {
		o.Servers = map[string]transport.Handler{"ehc": echo}
		o.Casts = map[string]transport.Handler{"ehc": func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			took <- args[0]
			return args[0], nil
		}}
	})
	dial(t, n, p.Name())
	p.Eval(`gen_server:cast({ehc, 'ehc@127.0.0.1'}, 1), gen_server:cast({ehc, 'ehc@127.0.0.1'}, 2)`)
	if got := p.Eval(`gen_server:call({ehc, 'ehc@127.0.0.1'}, 3, infinity)`); got != "{ok,3}" {
		t.Errorf("a call: %s", got)
	}
	for want := range 2 {
		if got := <-took; got != want+1 {
			t.Errorf("took %v, want %d", got, want+1)
		}
	}
}

func TestCastsOfNoServerAreRefused(t *testing.T) {
	o := ergonode.Options{Name: ourName, Cookies: []transport.Cookie{cookie}, Casts: map[string]transport.Handler{"ehc": echo}}
	if n, err := ergonode.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), `casts of server "ehc"`) {
		t.Error(err)
		n.Stop()
	}
}

// TestWhatAPeerAsksForIsBoundedInBytes: few of its calls and casts may be as much as
// many.
func TestWhatAPeerAsksForIsBoundedInBytes(t *testing.T) {
	began, gate := make(chan etf.Term, 8), make(chan struct{})
	held := func(ctx context.Context, _ string, args []transport.Term) (transport.Term, error) {
		began <- args[0]
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return etf.Atom("ok"), nil
	}
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Bytes = 100
		o.Servers = map[string]transport.Handler{"s": held}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: held}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	cast := func(v etf.Term) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_cast"), v})
	}
	ask := func(id uint32) {
		b, err := dist.AppendMonitorName(nil, f.pid(1), "s", ref(id))
		f.send(b, err)
		b, err = dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(id)}, 1})
	}
	spawn := func(id uint32, arg etf.Term) dist.Control {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(id), From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
		f.send(b, err, etf.List{ref(id), atom("m"), atom("f"), etf.List{arg}})
		return f.next(dist.OpSpawnReply)
	}
	full := func(what string) {
		t.Helper()
		if r := spawn(10, 1); !r.Named || r.Name != "system_limit" {
			t.Errorf("%s: an erpc call: %+v", what, r)
		}
		ask(1)
		if d := f.next(dist.OpDown); etf.Text(term(t, d.Payload)) != "overloaded" {
			t.Errorf("%s: a gen_server call: %+v", what, d)
		}
	}
	long := strings.Repeat("x", 200)
	cast(long)
	<-began
	cast("dropped")
	full("a long cast runs")
	gate <- struct{}{}
	for ctx := within(t); ; { // until the cast has been counted out
		if r := spawn(20, long); !r.Named {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the cast has ended and still counts")
		}
	}
	<-began
	full("a long call runs")
	gate <- struct{}{}
	f.next(dist.OpDown)
	cast("the last")
	if got := <-began; got != "the last" {
		t.Errorf("took %v", got)
	}
	close(gate)
}
