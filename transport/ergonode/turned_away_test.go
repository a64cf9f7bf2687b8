package ergonode_test

import (
	"context"
	"errors"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// TestACallThatIsTurnedAwayIsAnsweredAtOnce: by the server's own words where it has
// some, so that nobody who uses GenServer.call exits; else its caller exits.
func TestACallThatIsTurnedAwayIsAnsweredAtOnce(t *testing.T) {
	began, gate := make(chan struct{}, 8), make(chan struct{})
	defer close(gate)
	held := func(context.Context, string, []transport.Term) (transport.Term, error) {
		began <- struct{}{}
		<-gate
		return atom("ok"), nil
	}
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Inbound = 1
		o.Limits.Terms = etf.Limits{Depth: 20}
		o.Servers = map[string]transport.Handler{"kind": held, "plain": held}
		o.TurnedAway = map[string]func(error) transport.Term{"kind": func(why error) transport.Term {
			if errors.Is(why, transport.ErrBusy) {
				return atom("busy")
			}
			return atom("unreadable")
		}}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(id uint32) etf.Ref {
		return etf.Ref{Node: etf.Atom(f.self.Name), Creation: 77, Len: 3, ID: [5]uint32{id}}
	}
	ask := func(server etf.Atom, id uint32, request etf.Term) {
		b, err := dist.AppendMonitorName(nil, f.pid(1), server, ref(id))
		f.send(b, err)
		b, err = dist.AppendRegSend(nil, f.pid(1), server)
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), ref(id)}, request})
	}
	answered := func(id uint32, want string) {
		t.Helper()
		answer := term(t, f.next(dist.OpSend).Payload)
		if got := etf.Text(answer); got != etf.Text(etf.Tuple{ref(id), atom(want)}) {
			t.Errorf("answered %s, want %s", got, want)
		}
	}
	exits := func(id uint32, want string) {
		t.Helper()
		if d := f.next(dist.OpDown); d.Ref != ref(id) || etf.Text(term(t, d.Payload)) != want {
			t.Errorf("exits with %s, want %s", etf.Text(term(t, d.Payload)), want)
		}
	}
	deep := etf.Term(1)
	for range 25 {
		deep = etf.List{deep}
	}
	ask("kind", 1, deep)
	answered(1, "unreadable")
	ask("plain", 2, deep)
	exits(2, `{error,<<"decode term at byte 169: more than 20 containers deep">>}`)
	ask("kind", 3, 1)
	<-began
	ask("kind", 4, 1)
	answered(4, "busy")
	ask("plain", 5, 1)
	exits(5, "overloaded")
}
