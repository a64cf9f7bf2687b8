package transporttest

import (
	"context"
	"errors"
	"math/big"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/etf"
)

func suiteCall(t *testing.T, r Rig) {
	d, p := r.Dialer(t, NewWatcher(t)), r.Peer(t)
	c := mustDial(t, d, p.Target)

	t.Run("terms come back as they went", func(t *testing.T) {
		for _, v := range someTerms() {
			if diff := cmp.Diff(v, call(t, c, "echo", v), cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
				t.Errorf("%s: %s", etf.Text(v), diff)
			}
		}
	})
	t.Run("what a function raises", func(t *testing.T) {
		for _, class := range []string{"throw", "exit", "error"} {
			_, err := c.Call(soon(t), "ehc_suite", "raise", etf.Atom(class), etf.Tuple{etf.Atom("oops"), 1})
			var raised *transport.RaisedError
			if !errors.As(err, &raised) || raised.Class != class || raised.Text != "{oops,1}" {
				t.Errorf("%s: %v", class, err)
			}
		}
	})
	t.Run("a function that does not exist", func(t *testing.T) {
		_, err := c.Call(soon(t), "ehc_suite", "nosuch", 1)
		var raised *transport.RaisedError
		if !errors.As(err, &raised) || raised.Class != "error" || raised.Text != "undef" {
			t.Error(err)
		}
	})
	t.Run("a function that is killed", func(t *testing.T) {
		_, err := c.Call(soon(t), "ehc_suite", "die", 1)
		var signal *transport.SignalError
		if !errors.As(err, &signal) || signal.Text != "killed" {
			t.Error(err)
		}
	})
	t.Run("a call whose context ends is killed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := c.Call(ctx, "ehc_suite", "sleep", etf.Atom("sleeper"))
			done <- err
		}()
		eventually(t, c, yes, etf.Atom("sleeper"))
		cancel()
		wantErr(t, "call", <-done, context.Canceled)
		eventually(t, c, no, etf.Atom("sleeper"))
	})
	t.Run("a context that has ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := c.Call(ctx, "ehc_suite", "echo", 1)
		wantErr(t, "call", err, context.Canceled)
	})
	t.Run("a term that Erlang does not have", func(t *testing.T) {
		if _, err := c.Call(soon(t), "ehc_suite", "echo", make(chan int)); err == nil {
			t.Error("a channel was sent")
		}
		call(t, c, "echo", 1)
	})
	t.Run("many calls at once get their own answers", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				for j := range 20 {
					v, err := c.Call(soon(t), "ehc_suite", "echo", i*1000+j)
					if err != nil || v != i*1000+j {
						t.Errorf("%d: %v, %v", i*1000+j, v, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// someTerms has one of every kind that a peer may hold.
func someTerms() []transport.Term {
	huge := new(big.Int).Lsh(big.NewInt(-3), 900)
	ref := etf.Ref{Node: "x@y", Creation: 7, Len: 5, ID: [5]uint32{1, 2, 3, 4, 5}}
	return []transport.Term{
		0, -1, 255, 256, 1 << 40, huge, 1.5, etf.Atom("ok"), yes, etf.Atom("тест"), "", "binary", "\x00\xff",
		etf.Tuple{}, etf.Tuple{etf.Atom("a"), etf.Tuple{1}}, etf.List{}, etf.List{1, 2, 3}, etf.List{1000, "x"},
		etf.ImproperList{Elems: []etf.Term{etf.Atom("alias")}, Tail: ref}, ref,
		etf.Pid{Node: "x@y", ID: 1, Serial: 2, Creation: 3}, etf.BitString{Bytes: "\xa0", Bits: 3},
		etf.Map{{Key: "key", Value: etf.Map{{Key: etf.Tuple{1, etf.Atom("k")}, Value: etf.List{"v"}}}}},
		etf.Export{Module: "erlang", Function: "node", Arity: 0},
	}
}

func suiteServer(t *testing.T, r Rig) {
	d, p := r.Dialer(t, NewWatcher(t)), r.Peer(t)
	c := mustDial(t, d, p.Target)
	call(t, c, "serve", etf.Atom("ehc_server"))
	echo := func(v transport.Term) transport.Term { return etf.Tuple{etf.Atom("echo"), v} }

	t.Run("a reply", func(t *testing.T) {
		v, err := c.CallServer(soon(t), "ehc_server", echo("hello"))
		if err != nil || v != "hello" {
			t.Error(v, err)
		}
	})
	t.Run("a name that is not registered", func(t *testing.T) {
		_, err := c.CallServer(soon(t), "nosuch", 1)
		wantSignal(t, err, "noproc")
	})
	t.Run("a late reply is dropped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := c.CallServer(ctx, "ehc_server", etf.Atom("hang"))
			done <- err
		}()
		cancel()
		wantErr(t, "call", <-done, context.Canceled)
		if v, err := c.CallServer(soon(t), "ehc_server", etf.Atom("late")); err != nil || v != etf.Term(etf.Atom("ok")) {
			t.Error(v, err)
		}
		if v, err := c.CallServer(soon(t), "ehc_server", echo(1)); err != nil || v != 1 {
			t.Error(v, err)
		}
	})
	t.Run("a server that ends in the call", func(t *testing.T) {
		_, err := c.CallServer(soon(t), "ehc_server", etf.Tuple{etf.Atom("stop"), etf.Tuple{etf.Atom("reason"), 1}})
		wantSignal(t, err, "{reason,1}")
	})
	t.Run("messages arrive in order, and nobody misses those to nobody", func(t *testing.T) {
		call(t, c, "forward", etf.Atom("ehc_box"))
		want := etf.List{}
		for i := range 100 {
			if err := c.Send(soon(t), "nosuch", i); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(soon(t), "ehc_box", etf.Tuple{i}); err != nil {
				t.Fatal(err)
			}
			want = append(want, etf.Tuple{i})
		}
		if diff := cmp.Diff(transport.Term(want), call(t, c, "received", etf.Atom("ehc_box"))); diff != "" {
			t.Error(diff)
		}
	})
}

func wantSignal(t *testing.T, err error, reason string) {
	t.Helper()
	var signal *transport.SignalError
	if !errors.As(err, &signal) || signal.Text != reason {
		t.Errorf("got %v, want exited: %s", err, reason)
	}
}
