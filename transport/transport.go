// Package transport is how the controller reaches Erlang nodes.
//
// It names what a connection can do, and why one could not be had, and nothing
// else. Package ergonode does it over the Erlang distribution; package
// transporttest does it in memory. It imports nothing of ours: terms are the
// values that package etf describes, held in a Term.
package transport

import (
	"context"
	"net/netip"
)

// Term is an Erlang term as package transport/etf represents it: nil is never
// one. Any value that etf.Append accepts may be sent.
type Term = any

// Target is a node to dial and how to prove ourselves to it.
type Target struct {
	// Node is the full name, name@host.
	Node string
	// Addr is where the node was found. The zero Addr means that the host part
	// of Node is an IP address or a name for the system's resolver.
	Addr netip.Addr
	// Port is the peer's distribution port; 0 asks EPMD at Addr.
	Port uint16
	// Cookies are tried in turn, first one first; the next only after a peer
	// has rejected the one before. Empty means the node's own cookies.
	Cookies []Cookie
}

// Dialer connects to nodes. It is safe for concurrent use.
type Dialer interface {
	// Dial returns once the handshake is done and the Observer has heard of the
	// connection. If a connection to the node is already up it returns that
	// one. An error wraps exactly one of the causes in this package (ErrCookie
	// and so on) or the context's error; Reason gives its stable word.
	Dial(ctx context.Context, t Target) (Conn, error)
}

// Prober tries nodes. It is safe for concurrent use.
type Prober interface {
	// Probe does what Dial would, EPMD and the whole handshake with each cookie in
	// turn, as a hidden node of a name that is used once, and closes the connection
	// as soon as it is up. The node sees a hidden node come and go, which shows only
	// to those who monitor hidden nodes; a refused cookie it may log, as for any
	// dial. The Observer hears nothing, and a connection that is up stays as it is.
	// Errors are those of Dial.
	Probe(ctx context.Context, t Target) (Probed, error)
}

// Probed is what a probe has learned of a node.
type Probed struct {
	Peer
	Port   uint16 // where it accepts connections
	Flags  string // that it offers, as OTP names them
	Cookie int    // which of the cookies it took, from 0
}

// Peer says who is at the other end of a connection.
type Peer struct {
	// Node is the peer's full name as the handshake gave it.
	Node string
	// Creation is the peer's incarnation: it differs after every restart.
	Creation uint32
	// Hidden says that the peer does not count the link among nodes().
	Hidden bool
	// Accepted says that the peer dialled us.
	Accepted bool
}

// Conn is one live connection. Its methods are safe for concurrent use.
//
// Once the connection is down every method but Peer returns an error that wraps
// ErrDown.
type Conn interface {
	Caller

	// Peer says who is at the other end. It never changes.
	Peer() Peer

	// Close ends the connection and returns once it is down. The Observer hears
	// of it like of any other end.
	Close() error
}

// Caller is what can be asked of a peer: calls have an answer, casts and
// messages have none. See Each for the same of several peers.
type Caller interface {
	// Call runs module:function(args...) on the peer, as erpc:call does, and
	// returns its value. Errors: *RaisedError (throw, exit or error in the
	// function), *SpawnError (the peer did not start it), *SignalError (its
	// process was killed), ErrDown, or the context's error. When ctx ends first
	// the process that runs the function is killed, but it may have had its
	// effect: the outcome is unknown.
	Call(ctx context.Context, module, function string, args ...Term) (Term, error)

	// Cast has the peer run module:function(args...) as erpc:cast does. nil says
	// only that it was queued for the wire: whether it ran, and what it came to,
	// nobody tells. It overtakes nothing that was sent before it, but runs in a
	// process of its own, beside what comes after.
	Cast(ctx context.Context, module, function string, args ...Term) error

	// CallServer is gen_server:call and gen_statem:call of a registered name on
	// the peer. Errors: *SignalError with the server's exit reason (noproc if
	// there is none), ErrDown, or the context's error, after which a late reply is
	// dropped.
	CallServer(ctx context.Context, name string, request Term) (Term, error)

	// CastServer is gen_server:cast and gen_statem:cast to a registered name on
	// the peer; for nil and for a name that does not exist it is Send.
	CastServer(ctx context.Context, name string, request Term) error

	// Send sends a message to a registered name. nil says only that it was
	// queued for the wire; a name that does not exist drops it in silence.
	// Messages, casts and calls to one name arrive in the order in which they
	// were sent.
	Send(ctx context.Context, name string, message Term) error
}

// Observer hears of every connection, dialled or accepted. Calls about one node
// never overlap and come in the order in which things happened: Up, Down, Up.
// They must not block and must not call back into the connection.
type Observer interface {
	Up(Conn)
	Down(c Conn, why error)
}

// Function names an Erlang function that we answer for: Module without the
// "Elixir." prefix only if it is an Erlang one.
type Function struct {
	Module, Name string
	Arity        int
}

// Handler answers one inbound call, or takes one cast, whose answer goes nowhere.
// from is the calling node. An error becomes an Erlang error {error, Text} raised
// in the caller; so does a panic, which is logged. It runs in a goroutine of its own,
// whose ctx ends with the connection.
type Handler func(ctx context.Context, from string, args []Term) (Term, error)
