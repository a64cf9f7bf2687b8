package ergonode_test

import (
	"encoding/binary"
	"io"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
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
	nc := from(t, "127.0.0.1", n) // in the middle of its handshake when we stop
	name := binary.BigEndian.AppendUint64([]byte{0, 26, 'N'}, uint64(dist.Offer(false, false)))
	if _, err := nc.Write(append(name, "\x00\x00\x00\x01\x00\x0bb@127.0.0.1"...)); err != nil {
		t.Fatal(err)
	}
	status := make([]byte, 5)
	if _, err := io.ReadFull(nc, status); err != nil || string(status) != "\x00\x03sok" {
		t.Fatalf("%q, %v", status, err)
	}
	n.Stop()
	if len(refused) > 0 {
		t.Errorf("by stopping a peer was refused: %s", <-refused)
	}
	if err := n.Ready(); err == nil {
		t.Error("a node that has stopped is ready")
	}
}
