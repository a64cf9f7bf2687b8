package transporttest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"ehc/transport"
)

func suiteDial(t *testing.T, r Rig) {
	w := NewWatcher(t)
	d, p := r.Dialer(t, w), r.Peer(t)
	name := p.Target.Node

	t.Run("dials at once share one connection, of which the observer has heard", func(t *testing.T) {
		var wg sync.WaitGroup
		conns := make([]transport.Conn, 16)
		for i := range conns {
			wg.Go(func() {
				c, err := d.Dial(soon(t), p.Target)
				if err != nil {
					t.Error(err)
					return
				}
				if w.Current(name) == nil {
					t.Error("dial returned before the observer had heard")
				}
				conns[i] = c
			})
		}
		wg.Wait()
		for _, c := range conns {
			if c != conns[0] {
				t.Fatal("two connections to one node")
			}
		}
		if w.Ups() != 1 {
			t.Errorf("up was told %d times", w.Ups())
		}
	})
	t.Run("a dial to a node that is up returns that connection", func(t *testing.T) {
		c := mustDial(t, d, p.Target)
		if c != w.Current(name) {
			t.Error("it is another one")
		}
		about := c.Peer()
		if about.Node != name || about.Creation == 0 || about.Accepted {
			t.Errorf("the peer is %+v", about)
		}
	})
	t.Run("the observer hears up and down in turn", func(t *testing.T) {
		for range 5 {
			c := mustDial(t, d, p.Target)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if why := w.Why(c); transport.Reason(why) != "Closed" {
				t.Errorf("closed, and the reason is %v", why)
			}
		}
	})
	t.Run("dials and closes at random leave one connection at most", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					c, err := d.Dial(soon(t), p.Target)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.Close() // somebody else may have done so
				}
			})
		}
		wg.Wait()
	})
}

func suiteRefusal(t *testing.T, r Rig) {
	w := NewWatcher(t)
	d, p := r.Dialer(t, w), r.Peer(t)
	name := p.Target.Node
	wrong := transport.NewCookie("wrong")

	t.Run("a wrong cookie is rejected", func(t *testing.T) {
		target := p.Target
		target.Cookies = []transport.Cookie{wrong}
		_, err := d.Dial(soon(t), target)
		wantErr(t, "dial", err, transport.ErrCookie)
		if err != nil && !strings.HasPrefix(err.Error(), "dial "+name+": cookie rejected") {
			t.Errorf("the error reads %q", err)
		}
	})
	t.Run("cookies are tried in turn", func(t *testing.T) {
		target := p.Target
		target.Cookies = []transport.Cookie{wrong, r.Cookie}
		if err := mustDial(t, d, target).Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a name that EPMD does not list", func(t *testing.T) {
		target := p.Target
		_, host, _ := strings.Cut(name, "@")
		target.Node = "nosuch@" + host
		_, err := d.Dial(soon(t), target)
		wantErr(t, "dial", err, transport.ErrNotListed)
	})
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := d.Dial(ctx, p.Target)
		wantErr(t, "dial", err, context.Canceled)
	})
	if w.Ups() != 1 {
		t.Errorf("up was told %d times", w.Ups())
	}
}
