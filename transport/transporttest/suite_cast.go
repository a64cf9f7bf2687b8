package transporttest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/etf"
)

func suiteCast(t *testing.T, r Rig) {
	d, p := r.Dialer(t, NewWatcher(t)), r.Peer(t)
	c := mustDial(t, d, p.Target)

	t.Run("a cast runs", func(t *testing.T) {
		if err := c.Cast(soon(t), "ehc_suite", "sleep", etf.Atom("cast")); err != nil {
			t.Fatal(err)
		}
		eventually(t, c, yes, etf.Atom("cast"))
	})
	t.Run("what a cast comes to nobody hears", func(t *testing.T) {
		for _, f := range []struct {
			name string
			args []transport.Term
		}{{"nosuch", nil}, {"raise", []transport.Term{etf.Atom("error"), etf.Atom("oops")}}, {"echo", []transport.Term{1}}} {
			if err := c.Cast(soon(t), "ehc_suite", f.name, f.args...); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
		if v := call(t, c, "echo", 2); v != 2 {
			t.Errorf("the call after it: %v", v)
		}
	})
	t.Run("casts to a server arrive in order, among its messages", func(t *testing.T) {
		call(t, c, "forward", etf.Atom("ehc_box"))
		want := etf.List{}
		for i := range 100 {
			if err := c.CastServer(soon(t), "ehc_box", etf.Tuple{i}); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(soon(t), "ehc_box", i); err != nil {
				t.Fatal(err)
			}
			want = append(want, etf.Tuple{etf.Atom("$gen_cast"), etf.Tuple{i}}, i)
		}
		if diff := cmp.Diff(transport.Term(want), call(t, c, "received", etf.Atom("ehc_box"))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a cast to nobody", func(t *testing.T) {
		if err := c.CastServer(soon(t), "nosuch", 1); err != nil {
			t.Error(err)
		}
	})
	t.Run("a context that has ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wantErr(t, "cast", c.Cast(ctx, "ehc_suite", "echo", 1), context.Canceled)
		wantErr(t, "cast to a server", c.CastServer(ctx, "ehc_box", 1), context.Canceled)
		wantErr(t, "send", c.Send(ctx, "ehc_box", 1), context.Canceled)
	})
	t.Run("a term that Erlang does not have", func(t *testing.T) {
		if c.Cast(soon(t), "ehc_suite", "echo", make(chan int)) == nil || c.CastServer(soon(t), "ehc_box", nil) == nil {
			t.Error("it was sent")
		}
	})
}

func suiteSeveral(t *testing.T, r Rig) {
	w := NewWatcher(t)
	d := r.Dialer(t, w)
	var conns []transport.Conn
	var last Peer
	for range 3 {
		last = r.Peer(t)
		conns = append(conns, mustDial(t, d, last.Target))
	}
	t.Run("a multicall has one result of each peer, in order", func(t *testing.T) {
		var want []string
		got := transport.Each(soon(t), conns, func(ctx context.Context, c transport.Conn) (string, error) {
			v, err := c.Call(ctx, "ehc_suite", "echo", c.Peer().Node)
			s, _ := v.(string)
			return s, err
		})
		var nodes []string
		for i, c := range conns {
			want, nodes = append(want, c.Peer().Node), append(nodes, got[i].Value)
		}
		if diff := cmp.Diff(want, nodes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a peer that is gone fails alone", func(t *testing.T) {
		last.Kill()
		_ = w.Why(conns[2])
		got := transport.Multicall(soon(t), conns, "ehc_suite", "echo", 7)
		if len(got) != 3 || got[0].Value != 7 || got[1].Value != 7 || !errors.Is(got[2].Err, transport.ErrDown) {
			t.Errorf("%v", got)
		}
	})
	t.Run("one deadline ends all", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan []transport.Result[transport.Term], 1)
		go func() { done <- transport.Multicall(ctx, conns[:2], "ehc_suite", "sleep", etf.Atom("all")) }()
		for _, c := range conns[:2] {
			eventually(t, c, yes, etf.Atom("all"))
		}
		cancel()
		for _, one := range <-done {
			wantErr(t, "multicall", one.Err, context.Canceled)
		}
		for _, c := range conns[:2] {
			eventually(t, c, no, etf.Atom("all"))
		}
	})
}
