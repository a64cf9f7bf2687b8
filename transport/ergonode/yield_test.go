package ergonode

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ehc/transport"
)

// TestWhoGaveWayWaitsForAWholeHandshake: the peer's dial, for which ours made room, may
// take as long as any.
func TestWhoGaveWayWaitsForAWholeHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := Options{Name: "ehc@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie("x")}}.checked()
		if err != nil {
			t.Fatal(err)
		}
		p := &peer{node: &Node{o: o}, name: "z@127.0.0.1", changed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		want := &link{}
		time.AfterFunc(o.SetupTimeout-1, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.link = want
			p.tell()
		})
		if l, err := p.yield(&attempt{ctx: ctx}, transport.ErrYielded); l != want || err != nil {
			t.Errorf("got %v, %v", l, err)
		}
	})
}
