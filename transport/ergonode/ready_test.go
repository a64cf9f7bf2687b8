package ergonode_test

import (
	"testing"

	"ehc/transport"
	"ehc/transport/ergonode"
)

func TestWhoIsNotLetInIsHeardOf(t *testing.T) {
	refused := make(chan string, 10)
	n := alone(t, func(o *ergonode.Options) {
		o.Refused = func(reason string) { refused <- reason }
	})
	if err := n.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	if _, err := knock(t, n, "a@127.0.0.1", transport.NewCookie("x")); err == nil {
		t.Error("a stranger was let in")
	}
	if reason := <-refused; reason != "CookieRejected" {
		t.Errorf("heard %s", reason)
	}
	if _, err := knock(t, n, "a@127.0.0.1", cookie); err != nil {
		t.Error(err)
	}
	n.Stop()
	if err := n.Ready(); err == nil {
		t.Error("a node that has stopped is ready")
	}
}
