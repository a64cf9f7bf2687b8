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

// Register does nothing: our own listener is what EPMD is told of.
func (registrar) Register(context.Context, string, node.RegisterOptions) error { return nil }

// RegisterProxy is for nodes that pass on for others.
func (registrar) RegisterProxy(string, int, node.ProxyFlags) error { return lib.ErrUnsupported }

// UnregisterProxy is for nodes that pass on for others.
func (registrar) UnregisterProxy(string) error { return lib.ErrUnsupported }

// Resolve knows no route.
func (registrar) Resolve(string) (node.Route, error) { return node.Route{}, lib.ErrNoRoute }

// ResolveProxy says that nobody passes on; any other error would be told to who sends.
func (registrar) ResolveProxy(string) (node.ProxyRoute, error) {
	return node.ProxyRoute{}, lib.ErrProxyNoRoute
}

// Config is for nodes that ergo's own registry configures.
func (registrar) Config() (node.RegistrarConfig, error) {
	return node.RegistrarConfig{}, lib.ErrUnsupported
}

// ConfigItem is for nodes that ergo's own registry configures.
func (registrar) ConfigItem(string) (etf.Term, error) { return nil, lib.ErrUnsupported }

// SetConfigUpdateCallback is for nodes that ergo's own registry configures.
func (registrar) SetConfigUpdateCallback(func(string, etf.Term) error) error {
	return lib.ErrUnsupported
}

// shut is the handshake of ergo's own listener, which ergo insists on: nobody
// gets in. io.EOF is the error that ergo does not print.
type shut struct{}

// Init has nothing to prepare.
func (shut) Init(string, uint32, node.Flags) error { return nil }

// Version is what Erlang nodes speak.
func (shut) Version() node.HandshakeVersion { return 6 }

// Start dials nobody.
func (shut) Start(net.Addr, lib.NetReadWriter, bool, string) (node.HandshakeDetails, error) {
	return node.HandshakeDetails{}, io.EOF
}

// Accept lets nobody in.
func (shut) Accept(net.Addr, lib.NetReadWriter, bool, string) (node.HandshakeDetails, error) {
	return node.HandshakeDetails{}, io.EOF
}

// silent is the protocol that ergo insists on; without a handshake it never runs.
type silent struct{}

// Init makes no connection.
func (silent) Init(context.Context, lib.NetReadWriter, string, node.HandshakeDetails) (node.ConnectionInterface, error) {
	return nil, lib.ErrUnsupported
}

// Serve is never reached.
func (silent) Serve(node.ConnectionInterface, node.CoreRouter) {}

// Terminate is never reached.
func (silent) Terminate(node.ConnectionInterface) {}
