package controller

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/transport"
)

// lasting is how long a connection has to live for its end to be no failure: a
// peer that takes us and drops us at once must not be dialled without a pause.
const lasting = 10 * time.Second

// Links holds the live connections and writes their comings and goings into the
// store. It is the transport's Observer: a connection that the store shows as up
// is in Links, and one that has ended is in neither.
type Links struct {
	store  *state.Store
	log    hclog.Logger
	meter  *telemetry.Meter
	tracer *telemetry.Tracer

	mu    sync.Mutex
	conns map[state.Node]linked
}

// linked is a connection as the transport has it, and as it is used: watched.
type linked struct{ raw, used transport.Conn }

// NewLinks returns a Links with no connection in it. meter and tracer hear of the
// connections and of the calls over them; each may be nil.
func NewLinks(store *state.Store, log hclog.Logger, meter *telemetry.Meter, tracer *telemetry.Tracer) *Links {
	return &Links{store: store, log: log, meter: meter, tracer: tracer, conns: map[state.Node]linked{}}
}

// Get returns the live connection to n, or nil.
func (l *Links) Get(n state.Node) transport.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns[n].used
}

// Up records a connection.
func (l *Links) Up(c transport.Conn) {
	p := c.Peer()
	node := state.Node(p.Node)
	l.mu.Lock()
	l.conns[node] = linked{raw: c, used: telemetry.Watch(c, l.meter, l.tracer)}
	l.mu.Unlock()
	if err := l.store.RecordUp(node, p.Creation, time.Now()); err != nil {
		l.log.Error("record connection", "node", node, "error", err)
	}
	l.meter.ConnectionOpened(l.store.Snapshot().Conn(node).App, p.Accepted)
	l.log.Info("connected", "node", node, "creation", p.Creation, "accepted", p.Accepted)
}

// Down records the end of a connection.
func (l *Links) Down(c transport.Conn, why error) {
	node := state.Node(c.Peer().Node)
	l.mu.Lock()
	if l.conns[node].raw == c {
		delete(l.conns, node)
	}
	l.mu.Unlock()
	reason, message := transport.Reason(why), "connection lost"
	if why != nil {
		message = why.Error()
	}
	now := time.Now()
	var retryAt time.Time
	was := l.store.Snapshot().Conn(node)
	l.meter.ConnectionLost(was.App, reason)
	if now.Sub(was.Since) < lasting {
		retryAt = now.Add(backoff(was.Tries+1, dialFirst, dialMost))
	}
	if err := l.store.RecordDown(node, reason, message, now, retryAt); err != nil {
		l.log.Error("record lost connection", "node", node, "error", err)
	}
	level := hclog.Warn
	if errors.Is(why, transport.ErrClosed) { // as a prune, or a stop, wants it
		level = hclog.Info
	}
	l.log.Log(level, "disconnected", "node", node, "reason", reason, "cause", message)
}
