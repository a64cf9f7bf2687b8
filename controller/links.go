package controller

import (
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

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
	store *state.Store
	log   hclog.Logger

	mu    sync.Mutex
	conns map[state.Node]transport.Conn
}

// NewLinks returns a Links with no connection in it.
func NewLinks(store *state.Store, log hclog.Logger) *Links {
	return &Links{store: store, log: log, conns: map[state.Node]transport.Conn{}}
}

// Get returns the live connection to n, or nil.
func (l *Links) Get(n state.Node) transport.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns[n]
}

// Up records a connection.
func (l *Links) Up(c transport.Conn) {
	p := c.Peer()
	node := state.Node(p.Node)
	l.mu.Lock()
	l.conns[node] = c
	l.mu.Unlock()
	if err := l.store.RecordUp(node, p.Creation, time.Now()); err != nil {
		l.log.Error("record connection", "node", node, "error", err)
	}
	l.log.Info("connected", "node", node, "creation", p.Creation, "accepted", p.Accepted)
}

// Down records the end of a connection.
func (l *Links) Down(c transport.Conn, why error) {
	node := state.Node(c.Peer().Node)
	l.mu.Lock()
	if l.conns[node] == c {
		delete(l.conns, node)
	}
	l.mu.Unlock()
	reason, message := transport.Reason(why), "connection lost"
	if why != nil {
		message = why.Error()
	}
	now := time.Now()
	var retryAt time.Time
	if was := l.store.Snapshot().Conn(node); now.Sub(was.Since) < lasting {
		retryAt = now.Add(backoff(was.Tries+1, dialFirst, dialMost))
	}
	if err := l.store.RecordDown(node, reason, message, now, retryAt); err != nil {
		l.log.Error("record lost connection", "node", node, "error", err)
	}
	l.log.Warn("disconnected", "node", node, "reason", reason, "cause", message)
}
