package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"sync"

	"ehc/controller"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/ergonode"
)

// visitor is a node that calls functions of others without a controller: hidden, in
// no EPMD, of a name used once, and started when it is first needed. It is for one
// examination, whose goroutines share it.
type visitor struct {
	spec state.NodeSpec

	mu   sync.Mutex
	node *ergonode.Node
}

func (v *visitor) call(ctx context.Context, t transport.Target) (transport.Caller, func(), error) {
	n, err := v.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn, err := n.Dial(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	return conn, func() { _ = conn.Close() }, nil
}

func (v *visitor) start(ctx context.Context) (*ergonode.Node, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.node != nil {
		return v.node, nil
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	o := ergonode.Options{
		Name:    "ehc-doctor-" + hex.EncodeToString(b[:]) + "@" + v.spec.Name.Host(),
		Cookies: controller.Cookies(v.spec.Cookies), EPMDPort: v.spec.EPMDPort, Unlisted: true,
		Listen: netip.AddrFrom4([4]byte{127, 0, 0, 1}), // nobody has to find it
	}
	err := loadTLS(&o, v.spec.TLS)
	if err == nil {
		v.node, err = ergonode.Start(ctx, o)
	}
	return v.node, err
}

// leave ends the node, if it was started.
func (v *visitor) leave() {
	if v.node != nil {
		v.node.Stop()
	}
}
