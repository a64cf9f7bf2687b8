package transporttest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryPassesTheSuite(t *testing.T) { transporttest.Suite(t, transporttest.Memory(t)) }

func TestNodesInMemory(t *testing.T) {
	n := transporttest.NewNetwork()
	defer n.Close()
	w := transporttest.NewWatcher(t)
	d := n.Dialer("ehc@memory", w)
	p := n.Add("a@memory")
	p.Handle(transport.Function{Module: "m", Name: "f", Arity: 1},
		func(_ context.Context, from string, args []transport.Term) (transport.Term, error) {
			if args[0] == "bad" {
				return nil, errors.New("no")
			}
			return etf.Tuple{from, args[0]}, nil
		})
	dial := func() (transport.Conn, error) { return d.Dial(t.Context(), transport.Target{Node: "a@memory"}) }

	p.Refuse(transport.ErrFlags)
	if _, err := dial(); !errors.Is(err, transport.ErrFlags) {
		t.Errorf("refused: %v", err)
	}
	p.Refuse(nil)
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Call(t.Context(), "m", "f", []byte("x")); err != nil || etf.Text(v) != `{<<"ehc@memory">>,<<"x">>}` {
		t.Errorf("call: %v, %v", v, err)
	}
	var raised *transport.RaisedError
	if _, err := c.Call(t.Context(), "m", "f", "bad"); !errors.As(err, &raised) || raised.Text != `{error,<<"no">>}` {
		t.Errorf("a handler's error: %v", err)
	}
	if p.Calls("m:f") != 2 || p.Dials() != 2 {
		t.Errorf("%d calls, %d dials", p.Calls("m:f"), p.Dials())
	}
	p.BreakWith(transport.ErrSilent)
	if why := w.Why(c); !errors.Is(why, transport.ErrSilent) {
		t.Errorf("broken: %v", why)
	}
	accepted := p.Connect(d)
	if again := p.Connect(d); !errors.Is(w.Why(accepted), transport.ErrReplaced) || !again.Peer().Accepted {
		t.Error("a peer that dials again does not replace its connection")
	}
}

func TestFrozenNodesUnderSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := transporttest.NewNetwork()
		defer n.Close()
		d := n.Dialer("ehc@memory", nil)
		p := n.Add("a@memory")
		p.HandleServer("s", func(context.Context, string, []transport.Term) (transport.Term, error) { return 1, nil })
		p.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := d.Dial(ctx, transport.Target{Node: "a@memory"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
		p.Thaw()
		c, err := d.Dial(t.Context(), transport.Target{Node: "a@memory"})
		if err != nil {
			t.Fatal(err)
		}
		p.Freeze()
		go func() {
			synctest.Wait()
			p.Thaw()
		}()
		if v, err := c.CallServer(t.Context(), "s", 0); err != nil || v != 1 {
			t.Errorf("call: %v, %v", v, err)
		}
	})
}
