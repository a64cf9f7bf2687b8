package ergonode

import (
	"errors"
	"net"
	"testing"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/node"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/transporttest/port"
)

// TestManyNamesTakeOneProxy: ergo forgets none, and what is late reaches nobody else.
func TestManyNamesTakeOneProxy(t *testing.T) {
	n := answering(t, port.Free(t))
	met := func(name string) *link {
		near, far := net.Pipe()
		t.Cleanup(func() { _ = far.Close() })
		l, err := n.establish(n.ctx, near, dist.Node{Name: name, Creation: 7, Flags: dist.Offer(false, true)}, true)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a := met("a@127.0.0.1")
	session := *a.proxy.session.Load()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := met("b@127.0.0.1")
	if b.proxy != a.proxy {
		t.Error("there is a proxy for every name")
	}
	if c := met("c@127.0.0.1"); c.proxy == b.proxy {
		t.Error("two links that are up share a proxy")
	}
	of := func(name eetf.Atom) eetf.Pid { return eetf.Pid{Node: name, ID: 1, Creation: 7} }
	us := toErgoPid(n.pid(callerID))
	if err := a.proxy.Monitor(us, of("a@127.0.0.1"), eetf.Ref{Node: eetf.Atom(n.Name())}); !errors.Is(err, transport.ErrDown) {
		t.Errorf("what is late reaches another: %v", err)
	}
	if err := a.proxy.Monitor(us, of("b@127.0.0.1"), eetf.Ref{Node: eetf.Atom(n.Name())}); err != nil {
		t.Error(err)
	}
	_ = a.proxy.ProxyDisconnect(node.ProxyDisconnect{SessionID: session})
	if b.ctx.Err() != nil {
		t.Error("a late disconnect ends the link of another")
	}
}
