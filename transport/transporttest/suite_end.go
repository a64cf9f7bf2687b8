package transporttest

import (
	"errors"
	"fmt"
	"testing"

	"ehc/transport"
	"ehc/transport/etf"
)

func suiteEnd(t *testing.T, r Rig) {
	w := NewWatcher(t)
	d, p := r.Dialer(t, w), r.Peer(t)
	ends := []struct {
		name string
		end  func(transport.Conn)
	}{
		{"closed by us", func(c transport.Conn) {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if w.Current(c.Peer().Node) == c {
				t.Error("close returned before the observer had heard")
			}
		}},
		{"the peer is killed", func(transport.Conn) { p.Kill(); p.Restart() }},
		{"the peer is restarted", func(transport.Conn) { p.Restart() }},
	}
	for i, e := range ends {
		server, sleeper := fmt.Sprint("ehc_server", i), etf.Atom(fmt.Sprint("sleeper", i))
		t.Run(e.name, func(t *testing.T) {
			c := mustDial(t, d, p.Target)
			call(t, c, "serve", etf.Atom(server))
			pending := make(chan error, 2)
			go func() {
				_, err := c.Call(soon(t), "ehc_suite", "sleep", sleeper)
				pending <- err
			}()
			go func() {
				_, err := c.CallServer(soon(t), server, etf.Atom("hang"))
				pending <- err
			}()
			eventually(t, c, yes, sleeper)
			e.end(c)
			for range cap(pending) {
				wantErr(t, "a pending call", <-pending, transport.ErrDown)
			}
			if why := w.Why(c); why == nil {
				t.Error("no reason")
			}
			wantDown(t, c)
		})
	}
	t.Run("a restarted peer has another creation", func(t *testing.T) {
		old := mustDial(t, d, p.Target)
		p.Restart()
		_ = w.Why(old)
		if c := mustDial(t, d, p.Target); c == old || c.Peer().Creation == old.Peer().Creation {
			t.Errorf("it is %+v again", c.Peer())
		}
	})
	t.Run("a peer that is gone is not listed", func(t *testing.T) {
		c := mustDial(t, d, p.Target)
		p.Kill()
		_ = w.Why(c)
		ctx := soon(t)
		_, err := d.Dial(ctx, p.Target)
		for errors.Is(err, transport.ErrUnreachable) && ctx.Err() == nil { // EPMD hears of it by itself
			_, err = d.Dial(ctx, p.Target)
		}
		wantErr(t, "dial", err, transport.ErrNotListed)
	})
}

// wantDown checks that nothing works on a connection that is down.
func wantDown(t *testing.T, c transport.Conn) {
	t.Helper()
	_, err := c.Call(soon(t), "ehc_suite", "echo", 1)
	wantErr(t, "call", err, transport.ErrDown)
	_, err = c.CallServer(soon(t), "ehc_server", 1)
	wantErr(t, "call server", err, transport.ErrDown)
	wantErr(t, "cast", c.Cast(soon(t), "ehc_suite", "echo", 1), transport.ErrDown)
	wantErr(t, "cast to a server", c.CastServer(soon(t), "ehc_server", 1), transport.ErrDown)
	wantErr(t, "send", c.Send(soon(t), "ehc_server", 1), transport.ErrDown)
	wantErr(t, "close", c.Close(), transport.ErrDown)
}
