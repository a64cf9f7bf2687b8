package ergonode

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// linking is Erlang in which a process links to P, and later tells whoever asks with
// which reason the link has ended. The call comes after the link on the wire.
const linking = `Self = self(),
	register(w, spawn(fun() -> process_flag(trap_exit, true), link(P), Self ! linked,
		receive {'EXIT', P, Why} -> receive {ask, From} -> From ! {why, Why} end end end)),
	receive linked -> ok end, gen_server:call({s, 'ehc@127.0.0.1'}, hi, infinity)`

const asked = `w ! {ask, self()}, receive {why, Why} -> catch unregister(w), Why end`

func TestLinksOfErlangToProcessesOfOurs(t *testing.T) {
	epmd := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: epmd})
	ended := make(chan struct{}, 10)
	sleep := func(ctx context.Context, _ string, _ []transport.Term) (transport.Term, error) {
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}
	gate := make(chan struct{}, 1)
	answer := func(context.Context, string, []transport.Term) (transport.Term, error) { return etf.Atom("ok"), nil }
	n, err := Start(t.Context(), Options{Name: "ehc@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie("monster")},
		Listen: netip.MustParseAddr("127.0.0.1"), EPMDPort: uint16(epmd), Servers: map[string]transport.Handler{"s": answer, "other": nil},
		Functions: map[transport.Function]transport.Handler{{Module: "m", Name: "sleep"}: sleep,
			{Module: "m", Name: "wait"}: func(context.Context, string, []transport.Term) (transport.Term, error) { <-gate; return 1, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	c, err := n.Dial(t.Context(), transport.Target{Node: p.Name()})
	if err != nil {
		t.Fatal(err)
	}
	l := c.(*link)
	bonds := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.bonds)
	}
	spawned := func(function string) string {
		return fmt.Sprintf(`Q = spawn_request('ehc@127.0.0.1', erpc, execute_call, [make_ref(), m, %s, []], [monitor]), receive {spawn_reply, Q, ok, P} -> ok end, `, function)
	}
	server := func(name string) string {
		self := n.seat.node.ProcessByName(name).Self()
		return fmt.Sprintf("N = <<%q>>, P = binary_to_term(<<131,88,119,(byte_size(N)),N/binary,%d:32,%d:32,%d:32>>), ",
			n.Name(), uint32(self.ID), uint32(self.ID>>32), self.Creation)
	}

	// The end of a process of ours reaches who is linked to it.
	p.Eval(server("other") + linking)
	if bonds() != 1 {
		t.Errorf("%d links are kept", bonds())
	}
	n.seat.node.ProcessByName("other").Kill()
	if got := p.Eval(asked); got != "kill" {
		t.Errorf("the server ended with %s", got)
	}
	p.Eval(spawned("wait") + linking)
	gate <- struct{}{}
	if got := p.Eval(asked); got != "normal" {
		t.Errorf("the function ended with %s", got)
	}
	p.Eval(spawned("sleep") + linking + ", exit(P, kill)")
	if got := p.Eval(asked); got != "killed" {
		t.Errorf("the function that is killed ended with %s", got)
	}
	<-ended

	// The end of a process of the peer's ends what it has called, and nothing else.
	p.Eval(spawned("sleep") + "spawn(fun() -> link(P), exit({oops, [1]}) end)")
	<-ended
	p.Eval(server("s") + "spawn(fun() -> link(P), exit({oops, [1]}) end), {_, R} = spawn_monitor(fun() -> link(P) end), receive {'DOWN', R, _, _, _} -> ok end")
	p.Eval(server("s") + "link(P), unlink(P), link(P), unlink(P)")
	if got := p.Eval(`gen_server:call({s, 'ehc@127.0.0.1'}, hi, infinity)`); got != "ok" {
		t.Errorf("our server answers %s", got)
	}
	for bonds() > 0 {
		p.Eval(`gen_server:call({s, 'ehc@127.0.0.1'}, hi, infinity)`) // what is on its way comes before the answer
	}
	if got := p.Eval(server("s") + `process_flag(trap_exit, true), [begin link(P), unlink(P) end || _ <- lists:seq(1, 100)], link(P), erlang:disconnect_node('ehc@127.0.0.1'),
		receive {'EXIT', P, Why} -> Why end`); got != "noconnection" {
		t.Errorf("when the connection goes the link ends with %s", got)
	}
}
