package ergonode_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

func TestACallThatIsGivenUpBeforeItStarts(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	f.next(dist.OpSpawnRequest) // whereis(user)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, "m", "f")
		done <- err
	}()
	request := f.next(dist.OpSpawnRequest)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	child := f.pid(99)
	f.send(dist.AppendSpawnReply(nil, request.Ref, request.From, child, true), nil)
	if d := f.next(dist.OpDemonitor); d.To != child || d.Ref != request.Ref {
		t.Errorf("demonitor %+v", d)
	}
	if x := f.next(dist.OpExit2); x.To != child || term(t, x.Payload) != etf.Term(atom("kill")) {
		t.Errorf("exit %+v", x)
	}
}

func TestAPeerThatStartsNothing(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	f.next(dist.OpSpawnRequest)
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(within(t), "m", "f")
		done <- err
	}()
	request := f.next(dist.OpSpawnRequest)
	b, err := dist.AppendSpawnFailure(nil, request.Ref, request.From, "system_limit")
	f.send(b, err)
	var spawn *transport.SpawnError
	if err := <-done; !errors.As(err, &spawn) || spawn.Reason != "system_limit" {
		t.Error(err)
	}
}

func TestTheLeaderOfACall(t *testing.T) {
	f, c := linked(t, alone(t, nil), "a@127.0.0.1")
	ask := f.next(dist.OpSpawnRequest)
	first := make(chan error, 1)
	go func() {
		_, err := c.Call(within(t), "io", "format", "x")
		first <- err
	}()
	request := f.next(dist.OpSpawnRequest)
	if request.Spawn.Leader.Node != ourName {
		t.Errorf("before the user process is known the leader is %v", request.Spawn.Leader)
	}
	printer := f.pid(50)
	f.send(dist.AppendSend(nil, printer, request.Spawn.Leader), nil, etf.Tuple{atom("io_request"), printer, 7,
		etf.Tuple{atom("put_chars"), atom("unicode"), "x"}})
	if got := term(t, f.next(dist.OpSend).Payload); etf.Text(got) != "{io_reply,7,ok}" {
		t.Errorf("output is answered with %v", got)
	}
	f.send(dist.AppendSpawnReply(nil, ask.Ref, ask.From, f.pid(51), true), nil)
	f.send(dist.AppendDown(nil, f.pid(51), ask.From, ask.Ref), nil, etf.Tuple{ask.Ref, atom("return"), f.pid(52)})
	f.send(dist.AppendSpawnReply(nil, request.Ref, request.From, f.pid(53), true), nil)
	f.send(dist.AppendDown(nil, f.pid(53), request.From, request.Ref), nil, etf.Tuple{request.Ref, atom("return"), 1})
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = c.Call(within(t), "io", "format", "x") }()
	if leader := f.next(dist.OpSpawnRequest).Spawn.Leader; leader != f.pid(52) {
		t.Errorf("once it is known the leader is %v", leader)
	}
}

func TestAPeerThatTakesNothing(t *testing.T) {
	w := newNews()
	n := alone(t, func(o *ergonode.Options) { o.Observer, o.Tick, o.Limits.Queue = w, 6*time.Second, 1<<16 })
	f, c := linked(t, n, "a@127.0.0.1")
	stop := make(chan struct{})
	ticking := make(chan struct{})
	go func() { // it lives, it just does not read
		defer close(ticking)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				_, _ = f.nc.Write(dist.Tick())
			}
		}
	}()
	message := make([]byte, 1<<20)
	var err error
	for err == nil {
		err = c.Send(within(t), "x", message)
	}
	if !errors.Is(err, transport.ErrDown) || !errors.Is(err, transport.ErrOverload) {
		t.Errorf("send: %v", err)
	}
	if why := <-w.downs; !errors.Is(why, transport.ErrOverload) {
		t.Errorf("the reason is %v", why)
	}
	close(stop)
	<-ticking
}

func TestGarbageEndsTheLink(t *testing.T) {
	for name, packet := range map[string][]byte{
		"no control message":  {0, 0, 0, 2, 1, 2},
		"a frame of 4 GB":     {255, 255, 255, 255},
		"an operation of 200": {0, 0, 0, 6, 112, 131, 104, 1, 97, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := newNews()
			f, _ := linked(t, alone(t, func(o *ergonode.Options) { o.Observer = w }), "a@127.0.0.1")
			if _, err := f.nc.Write(packet); err != nil {
				t.Fatal(err)
			}
			if why := <-w.downs; !errors.Is(why, transport.ErrProtocol) {
				t.Errorf("the reason is %v", why)
			}
		})
	}
}

func TestLimitsOfWhatAPeerMayHold(t *testing.T) {
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Inbound, o.Limits.Monitors = 2, 2
		wait := func(ctx context.Context, _ string, _ []transport.Term) (transport.Term, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		o.Servers = map[string]transport.Handler{"s": wait}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f"}: wait}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	monitor := func(id uint32) {
		b, err := dist.AppendMonitorName(nil, f.pid(1), "s", ref(id))
		f.send(b, err)
	}
	spawn := func(id uint32) {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: ref(id), From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
		f.send(b, err, etf.List{ref(id), atom("m"), atom("f"), etf.List{}})
	}
	ask := func(id uint32) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(id)}, 1})
	}
	monitor(1)
	monitor(2)
	monitor(3)
	if d := f.next(dist.OpDown); d.Ref != ref(3) || etf.Text(term(t, d.Payload)) != "system_limit" {
		t.Errorf("the third monitor: %+v", d)
	}
	spawn(10)
	started := f.next(dist.OpSpawnReply)
	if started.Named {
		t.Errorf("the first call: %+v", started)
	}
	ask(1)
	spawn(11)
	if r := f.next(dist.OpSpawnReply); !r.Named || r.Name != "system_limit" {
		t.Errorf("the third call: %+v", r)
	}
	ask(2)
	if d := f.next(dist.OpDown); d.Ref != ref(2) || etf.Text(term(t, d.Payload)) != "overloaded" {
		t.Errorf("the fourth call: %+v", d)
	}
	f.send(dist.AppendExit2(nil, f.pid(1), started.From), nil, atom("kill"))
	if d := f.next(dist.OpDown); d.Ref != ref(10) || etf.Text(term(t, d.Payload)) != "killed" {
		t.Errorf("a killed call: %+v", d)
	}
	spawn(12)
	if r := f.next(dist.OpSpawnReply); r.Named {
		t.Errorf("a call in its place: %+v", r)
	}
}
