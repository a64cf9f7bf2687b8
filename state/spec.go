package state

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Spec is what one cluster.hcl asks for. Package state/spec makes it from text
// and has checked it: a Spec that exists is valid.
type Spec struct {
	// Generation counts the files that were put in force; 0: this one was not.
	Generation uint64

	Node   NodeSpec
	DNS    DNSSpec
	Apps   []App // ordered by name
	Outbox OutboxSpec
	// Receive is how ehc answers as a remote app would; nil: it does not.
	Receive *Receive
	PubSub  []PubSub // ordered by name
	RPC     RPC
	API     APISpec
	Log     LogSpec
	// Telemetry is what machines are told about ehc. It is fixed at start.
	Telemetry TelemetrySpec
}

// NodeSpec is who ehc is. It is fixed at start.
type NodeSpec struct {
	Name     Node
	Cookies  []Secret   // never empty; the first is offered first
	Hidden   bool       // always true for now
	Listen   netip.Addr // where to accept peers; zero: the host part of Name
	Port     uint16     // distribution port; 0: any free one
	EPMDPort uint16
	Tick     time.Duration // a peer silent for this long is dead (OTP's net_ticktime)
	TLS      TLSSpec
}

// TLSSpec is what to speak TLS with: absolute paths of PEM files on ehc's machine.
// Either all are set or none is, which is plain TCP.
type TLSSpec struct {
	CertFile, KeyFile string // ours
	CAFile            string // the CAs of the peers' certificates
}

// DNSSpec is where and how often to look.
type DNSSpec struct {
	Servers  []netip.AddrPort // empty: the system's
	Interval time.Duration
	Timeout  time.Duration // for one question, over all servers
}

// App is one peer block: an app whose nodes are peers.
type App struct {
	Name    string
	Queries []Lookup
	// Match picks the names that EPMD lists at an address by a glob (* and ?);
	// Template makes the name instead, with ${ip} for the address. At most one
	// is set; neither means Match "*". A template may also have ${host}: the
	// name that was looked up, for SRV the target.
	Match    string
	Template string
	Port     uint16   // the peers' distribution port, when they run without EPMD; 0 asks EPMD
	Cookies  []Secret // empty: the node's
	Prune    Prune
	Deliver  *Deliver // nil: this app gets no events
}

// LookupKind is what a query asks.
type LookupKind uint8

// The kinds of query.
const (
	LookupHost   LookupKind = iota // AAAA and A of Target
	LookupSRV                      // SRV of Target, then the addresses of its targets
	LookupStatic                   // no question: Target is a node name
	LookupFly                      // AAAA and A of Target.internal, and Fly's TXT names of its machines
)

// Lookup is one query of an app.
type Lookup struct {
	Text   string // as written: "billing.internal", "srv:_dist._tcp.x", "static:a@10.0.0.1", "fly:billing"
	Kind   LookupKind
	Target string
}

// Prune bounds what a pass may cut.
type Prune struct {
	After      time.Duration // how long a node that is listed no longer keeps its connection
	MaxShare   float64       // hold when more than this share of an app's live nodes would go
	MaxAtOnce  float64       // at most this share (or one node) goes within one After
	AllowEmpty bool          // an empty answer prunes like any other
}

// Deliver is how an app gets events from the outbox.
type Deliver struct {
	Module, Function string // as Erlang knows it: "Elixir.EventHorizon.Remote.Handler"
	// Batch is given a list of events; without a name, each event goes to the
	// function above by itself.
	Batch    Function
	MaxBatch int           // events in one call of Batch
	Timeout  time.Duration // for one call
	Tries    int           // after so many refusals an event goes to the dead letters; 0: never for that
}

// OutboxSpec bounds what is kept of each app.
type OutboxSpec struct {
	MaxEvents int           // that wait
	MaxBytes  int64         // of the payloads that wait, and again of those of the dead letters
	MaxAge    time.Duration // after which an event that waits goes to the dead letters; 0: never
	MaxDead   int           // dead letters
	Remember  int           // ids of delivered events, so that one enqueued again adds nothing
}

// Function is a function of one argument, as Erlang knows it:
// "Elixir.Remote.Metrics" and "get_count".
type Function struct{ Module, Name string }

// Receive is which functions ehc answers as a remote app would, and how long it
// remembers events. The functions are fixed at start, and all of them differ.
type Receive struct {
	Handler Function   // is given one event
	Batch   Function   // is given a list of them
	Counts  []Function // each is given a counter's key, and answers its value
	Inbox   InboxSpec
}

// InboxSpec bounds the memory of handled events. Whichever is reached first.
type InboxSpec struct {
	KeepFor time.Duration // how long an id is remembered
	MaxIDs  int           // how many ids are
}

// PubSub is a Phoenix.PubSub server to take part in.
type PubSub struct {
	Name   string   // as Elixir shows it: "EventHorizon.PubSub"
	Topics []string // of which messages are kept; * is any characters
	Pool   int      // the pool_size that its nodes should have; 0: whatever they show
	Relay  bool     // messages of these topics are passed on from app to app
}

// RPC is which functions of peers people may have called.
type RPC struct {
	Allow   []Callable    // in the order of the file; none twice
	Timeout time.Duration // for one call that does not say how long
	// Count answers what get_realtime_count asks, given a counter's key. It may be
	// called only if Allow has it, too.
	Count Callable
}

// Allows says whether Allow has f.
func (r RPC) Allows(f Callable) bool { return slices.Contains(r.Allow, f) }

// Callable is a function with its arity, as Erlang knows it.
type Callable struct {
	Module, Name string
	Arity        int
}

// String is f as it is written in cluster.hcl: "Remote.Metrics.get_count/1".
func (f Callable) String() string {
	return fmt.Sprintf("%s.%s/%d", strings.TrimPrefix(f.Module, "Elixir."), f.Name, f.Arity)
}

// APISpec is where the API is served beside its unix socket. It is fixed at start.
type APISpec struct {
	Listen            netip.AddrPort // zero: nowhere
	Token             Secret         // what clients have to show there; zero: the environment has it
	CertFile, KeyFile string         // of TLS; neither is set for plain HTTP
}

// LogSpec is how to log.
type LogSpec struct {
	Level string // hclog's: trace, debug, info, warn, error
	JSON  bool
}

// TelemetrySpec is where metrics and probes are answered beside the API, and where
// traces go.
type TelemetrySpec struct {
	Listen netip.AddrPort // zero: nowhere
	Traces string         // base URL of an OTLP receiver; empty: as the environment says
}
