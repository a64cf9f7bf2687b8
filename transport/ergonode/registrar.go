package ergonode

import (
	"context"
	"io"
	"net"

	"github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/lib"
	"github.com/ergo-services/ergo/node"
)

// registrar is what ergo asks for a route when one of its processes sends to a
// node that is not connected. There is never one: ergo dials nobody.
type registrar struct{}

func (registrar) Register(context.Context, string, node.RegisterOptions) error { return nil }
func (registrar) RegisterProxy(string, int, node.ProxyFlags) error             { return lib.ErrUnsupported }
func (registrar) UnregisterProxy(string) error                                 { return lib.ErrUnsupported }

func (registrar) Resolve(string) (node.Route, error) { return node.Route{}, lib.ErrNoRoute }

func (registrar) ResolveProxy(string) (node.ProxyRoute, error) {
	return node.ProxyRoute{}, lib.ErrProxyNoRoute
}

func (registrar) Config() (node.RegistrarConfig, error) {
	return node.RegistrarConfig{}, lib.ErrUnsupported
}

func (registrar) ConfigItem(string) (etf.Term, error) { return nil, lib.ErrUnsupported }

func (registrar) SetConfigUpdateCallback(func(string, etf.Term) error) error {
	return lib.ErrUnsupported
}

// shut is the handshake of ergo's own listener, which ergo insists on: nobody
// gets in. io.EOF is the error that ergo does not print.
type shut struct{}

func (shut) Init(string, uint32, node.Flags) error { return nil }
func (shut) Version() node.HandshakeVersion        { return 6 }

func (shut) Start(net.Addr, lib.NetReadWriter, bool, string) (node.HandshakeDetails, error) {
	return node.HandshakeDetails{}, io.EOF
}

func (shut) Accept(net.Addr, lib.NetReadWriter, bool, string) (node.HandshakeDetails, error) {
	return node.HandshakeDetails{}, io.EOF
}

// silent is the protocol that ergo insists on; without a handshake it never runs.
type silent struct{}

func (silent) Init(context.Context, lib.NetReadWriter, string, node.HandshakeDetails) (node.ConnectionInterface, error) {
	return nil, lib.ErrUnsupported
}

func (silent) Serve(node.ConnectionInterface, node.CoreRouter) {}
func (silent) Terminate(node.ConnectionInterface)              {}
