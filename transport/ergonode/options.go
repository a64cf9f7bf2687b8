package ergonode

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

// Options say who the node is. Only Name and one cookie are required.
type Options struct {
	// Name is the full name, name@host: graphic ASCII. Peers that dial us resolve
	// host, so it is an address or a name of this machine.
	Name string
	// Creation is the incarnation that stands in our pids and references. 0 takes
	// what EPMD gives.
	Creation uint32
	// Cookies are the secrets that peers may know: each of them is accepted, and
	// they are offered in this order. Targets with cookies of their own go before.
	Cookies []transport.Cookie
	// AppCookies gives the cookies of an app that has its own, for a node that
	// dials us; nil or none means Cookies. It is called from several goroutines.
	AppCookies func(node string) []transport.Cookie
	// Listen is the address to accept connections at; the zero Addr is every
	// address of the machine.
	Listen netip.Addr
	// Port is where to listen; 0 takes a free one.
	Port uint16
	// TLS makes the node speak TLS, and only that, in both directions: as in Erlang,
	// where a node has one -proto_dist. nil is plain. EPMD has no TLS.
	TLS *TLS
	// EPMDPort is where EPMD listens, here and at the peers; 0 is 4369. If none
	// answers on loopback, the node serves one itself.
	EPMDPort uint16
	// Unlisted keeps the node out of EPMD: it can dial, and nobody finds it.
	Unlisted bool
	// Tick is the silence after which a peer counts as dead. Four times in it we
	// send something. It should be the peers' net_ticktime; 0 is 60 seconds.
	Tick time.Duration
	// SetupTimeout is how long a connection may take to be opened, its handshake after
	// that, and the peer's own dial if ours gave way to it; 0 is 7 seconds, as in
	// Erlang (net_setuptime).
	SetupTimeout time.Duration
	// Observer hears of every connection; nil is nobody.
	Observer transport.Observer
	// Refused hears of every peer that dialled us and was not let in: transport's
	// word for why. It must not block. nil is nobody.
	Refused func(reason string)
	// Functions are what peers may call and cast by erpc and rpc. Without any we do
	// not offer to serve calls, and peers get notsup at once.
	Functions map[transport.Function]transport.Handler
	// Servers are gen_servers by registered name: args[0] is the request. Each is
	// a process of ergo's. Its calls run side by side; the casts of one peer run one
	// after the other, in the order in which they were sent, and what their handler
	// returns goes nowhere, but for an error, which is logged.
	Servers map[string]transport.Handler
	// Casts take the casts of Servers, by the same names, whose own handlers then take
	// only calls.
	Casts map[string]transport.Handler
	// TurnedAway gives the answers to calls that do not get to Servers, by the same names:
	// because of transport.ErrBusy, or of what cannot be read in the request, such as
	// terms that nest too deep. Where there is none their callers exit. It must not block.
	TurnedAway map[string]func(why error) transport.Term
	// PubSub hears what Phoenix.PubSub brings once Node.Follow has named the servers;
	// nil takes no part in it.
	PubSub transport.PubSubListener
	// PubSubRetry is after how long a peer that had no Phoenix.PubSub is asked again; 0
	// is 15 seconds.
	PubSubRetry time.Duration
	// Limits bound what peers can make us hold.
	Limits Limits
	// Log takes what nobody else is told: failed handshakes of peers that dialled
	// us, lost EPMD registrations. nil is nowhere.
	Log hclog.Logger
}

// Limits bound what peers can make the node hold. A zero field has the default.
type Limits struct {
	// Frame is the longest frame that is read or sent, in bytes: 64 MiB and 64 KiB,
	// so that a message of 64 MiB passes with what stands around it. A longer one of
	// the peer's ends the link, a longer one of ours is an error.
	Frame int
	// Terms bounds decoding: etf.DefaultLimits.
	Terms etf.Limits
	// Handshakes is how many peers may shake hands with us at once: 32. More wait
	// in the listener's backlog.
	Handshakes int
	// PerAddress is how many of those may come from one address: 8. More are closed
	// at once.
	PerAddress int
	// Queue is how many bytes may wait to be written to one peer, one frame aside:
	// 8 MiB. Our calls then wait; a peer loses its link when the answers to its own
	// signals alone are that many.
	Queue int
	// Inbound is how many calls of one peer may be under way: 1024. One that its caller
	// has given up counts until its handler has returned. More are answered with
	// system_limit or overloaded, or as TurnedAway says.
	Inbound int
	// Casts is how many casts of one peer may wait for one of Servers: 16384. More
	// are dropped, and that is logged.
	Casts int
	// Bytes is how many bytes all of those of one peer may have on the wire, one aside:
	// 64 MiB. More are answered or dropped alike.
	Bytes int
	// Monitors is how many monitors and links one peer may hold on us: 65536.
	Monitors int
}

// checked fills in the defaults.
func (o Options) checked() (Options, error) {
	if err := dist.CheckName(o.Name); err != nil {
		return o, err
	}
	if len(o.Cookies) == 0 {
		return o, errors.New("no cookie")
	}
	for name := range o.Servers {
		if err := etf.CheckAtom(etf.Atom(name)); err != nil || name == "" || name == netKernel || name == rex || etf.Atom(name) == pubsub.ScopeName {
			return o, fmt.Errorf("server %q cannot be registered", name)
		}
	}
	for name := range o.Casts {
		if o.Servers[name] == nil {
			return o, fmt.Errorf("casts of server %q, which there is not", name)
		}
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	o.EPMDPort = orDefault(o.EPMDPort, epmd.DefaultPort)
	o.Tick = orDefault(o.Tick, time.Minute)
	o.SetupTimeout = orDefault(o.SetupTimeout, 7*time.Second)
	o.PubSubRetry = orDefault(o.PubSubRetry, 15*time.Second)
	o.Limits.Frame = orDefault(o.Limits.Frame, 64<<20+64<<10)
	o.Limits.Terms = orDefault(o.Limits.Terms, etf.DefaultLimits())
	o.Limits.Handshakes = orDefault(o.Limits.Handshakes, 32)
	o.Limits.PerAddress = orDefault(o.Limits.PerAddress, 8)
	o.Limits.Queue = orDefault(o.Limits.Queue, 8<<20)
	o.Limits.Inbound = orDefault(o.Limits.Inbound, 1024)
	o.Limits.Casts = orDefault(o.Limits.Casts, 16384)
	o.Limits.Bytes = orDefault(o.Limits.Bytes, 64<<20)
	o.Limits.Monitors = orDefault(o.Limits.Monitors, 65536)
	return o, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// nobody is the Observer of a node without one.
type nobody struct{}

// Up does nothing.
func (nobody) Up(transport.Conn) {}

// Down does nothing.
func (nobody) Down(transport.Conn, error) {}
