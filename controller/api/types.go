// Package api is the controller's HTTP interface: the JSON that goes over it,
// a server and a client. It listens on a unix socket, which only its owner may
// open.
//
//	GET  /v1/status                    Status
//	POST /v1/plan     PlanRequest      Plan
//	POST /v1/apply    ApplyRequest     Applied
//	POST /v1/events   EmitRequest      Emitted
//	GET  /v1/outbox?app=A&limit=N&…    Outbox (see OutboxQuery)
//	POST /v1/outbox/retry OutboxSelection  OutboxChange
//	POST /v1/outbox/drop  OutboxSelection  OutboxChange
//	GET  /v1/counts?key=K&limit=N      Counts
//	GET  /v1/version                   Version
//
// Everything else is a Problem (RFC 9457), with its status.
package api

import (
	"encoding/json"
	"time"
)

// Status is what the controller knows, at one index.
type Status struct {
	Index   uint64      `json:"index"`
	Node    string      `json:"node"`    // ehc's own name
	Cookie  string      `json:"cookie"`  // a fingerprint
	Version string      `json:"version"` //
	Config  Config      `json:"config"`
	Nodes   []Node      `json:"nodes"`  // ordered by name; never null
	Apps    []App       `json:"apps"`   // ordered by name; never null
	Outbox  []OutboxApp `json:"outbox"` // ordered by app; never null
	// Warnings is what was found wrong at the start, for people.
	Warnings []string `json:"warnings,omitempty"`
}

// Config is which file is in force.
type Config struct {
	File      string    `json:"file"`
	AppliedAt time.Time `json:"applied_at"`
	// Error is why the newest version of the file is not in force; empty if it is.
	Error string `json:"error,omitempty"`
	// RestartRequired names what has changed in the file but is fixed at start.
	RestartRequired []string `json:"restart_required,omitempty"`
}

// Node is one node and the link to it.
type Node struct {
	Node     string    `json:"node"`
	App      string    `json:"app"`            // empty: no peer block claims it
	Phase    string    `json:"phase"`          // "up" or "down"
	Since    time.Time `json:"since,omitzero"` // when the phase began; none before the first connection
	Creation uint32    `json:"creation"`
	Release  string    `json:"otp_release,omitempty"`
	Reason   string    `json:"reason,omitempty"`  // a stable word, such as CookieRejected
	Message  string    `json:"message,omitempty"` // the same for people: "cookie rejected"
	RetryAt  time.Time `json:"retry_at,omitzero"`
	Listed   bool      `json:"listed"` // a query lists it now
}

// App is one peer block and how it stands.
type App struct {
	App        string      `json:"app"`
	Conditions []Condition `json:"conditions"`
}

// Condition is one thing that holds for an app, or does not: Discovered,
// Connected, Synced; for an app that gets events Drained and OutboxIntact, too.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"` // "True", "False" or "Unknown"
	Reason  string `json:"reason"` // a stable word
	Message string `json:"message"`
}

// OutboxApp is one app's queue.
type OutboxApp struct {
	App     string    `json:"app"`
	Pending int       `json:"pending"`
	Dead    int       `json:"dead"`
	Bytes   int64     `json:"bytes"`
	Oldest  time.Time `json:"oldest,omitzero"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
}

// PlanRequest asks what a file would do. An empty Text asks about the one in
// force.
type PlanRequest struct {
	File string `json:"file,omitempty"` // name for diagnostics
	Text string `json:"text,omitempty"`
}

// Plan is what a pass would do.
type Plan struct {
	Index   uint64   `json:"index"`
	Actions []Action `json:"actions"` // in the order in which a pass does them; never null
	Held    []Hold   `json:"held"`    // never null
	// RestartRequired names what the file changes but is fixed at start.
	RestartRequired []string `json:"restart_required,omitempty"`
	Warnings        []string `json:"warnings,omitempty"`
}

// Action is one thing to do to one node.
type Action struct {
	Kind   string `json:"kind"` // prune, connect, resync or drain
	Node   string `json:"node"`
	App    string `json:"app"`
	Reason string `json:"reason"`
}

// Hold is a node that something keeps from being acted on, and what.
type Hold struct {
	Node   string `json:"node"`
	App    string `json:"app,omitempty"`
	Reason string `json:"reason"`
	// Prune says that an approved apply would prune the node: the hold is a
	// guard, not a wait.
	Prune bool `json:"prune,omitempty"`
}

// ApplyRequest puts a file in force. An empty Text applies the one in force,
// which is of use with PruneHeld.
type ApplyRequest struct {
	File string `json:"file,omitempty"`
	Text string `json:"text,omitempty"`
	// CheckIndex refuses (409) unless the store is still at this index; 0 does not check.
	CheckIndex uint64 `json:"check_index,omitempty"`
	// PruneHeld approves pruning the nodes that guards hold back now.
	PruneHeld bool `json:"prune_held,omitempty"`
}

// Applied answers an apply: the file is in force, and Plan says what the
// controller is now about to do.
type Applied struct {
	Plan Plan `json:"plan"`
}

// Event is an event to emit, one that waits, or a dead letter.
type Event struct {
	ID      string          `json:"id,omitempty"` // minted if empty
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"` // an object

	App        string    `json:"app,omitempty"` // to emit: only to this app; empty: to every app that gets events
	Seq        uint64    `json:"seq,omitempty"`
	InsertedAt time.Time `json:"inserted_at,omitzero"` // to emit: now if it is zero
	Tries      int       `json:"tries,omitempty"`
	Error      string    `json:"error,omitempty"` // why the last try failed

	Reason string    `json:"reason,omitempty"` // of a dead letter: a stable word, such as HandlerRefused
	DiedAt time.Time `json:"died_at,omitzero"` // of a dead letter
}

// EmitRequest enqueues events, all or none.
type EmitRequest struct {
	Events []Event `json:"events"`
	// Wait is "durable" (the default): answer when the events are on disk; or
	// "delivered": answer when every app has them, or after WaitMillis.
	Wait string `json:"wait,omitempty"`
	// WaitMillis bounds the wait, in milliseconds; 0 waits for as long as the
	// request lasts.
	WaitMillis int64 `json:"wait_millis,omitempty"`
}

// Emitted gives the ids of the events in order.
type Emitted struct {
	IDs       []string `json:"ids"`
	Delivered bool     `json:"delivered"` // with wait "delivered": all of them were
}

// OutboxQuery says which events to list. It goes over the wire as the query
// ?app=&id=&dead=true&after=&limit=.
type OutboxQuery struct {
	App   string // empty: of every app
	ID    string // only events of this id, waiting or dead; the rest does not count then
	Dead  bool   // the dead letters, not what waits
	After uint64 // only those with a greater number; needs an App
	Limit int    // at most so many; 0: as many as one answer has, which is 1000
}

// OutboxSelection names dead letters: by id, or all of them. With Through, which
// only drop takes, it names what waits for App up to that number; 0 drops nothing
// and mends the counters of a damaged queue.
type OutboxSelection struct {
	App     string   `json:"app,omitempty"` // empty: of every app
	IDs     []string `json:"ids,omitempty"`
	All     bool     `json:"all,omitempty"`
	Through *uint64  `json:"through,omitempty"`
}

// OutboxChange says how many events were retried or dropped.
type OutboxChange struct {
	Events int `json:"events"`
}

// Outbox is what waits, or what is dead, oldest first.
type Outbox struct {
	Apps   []OutboxApp `json:"apps"`
	Events []Event     `json:"events"`
}

// Counts are counters of the events that other nodes have delivered, ordered by
// key: the one that was asked for, or those of a name, or all.
type Counts struct {
	Counts []Count `json:"counts"`         // never null
	More   bool    `json:"more,omitempty"` // there are others, beyond the limit
}

// Count is one counter: "visits:/blog" is of visits, for the page /blog. One that
// was asked for and never changed is there, with 0.
type Count struct {
	Key   string `json:"key"`
	Count int64  `json:"count"`
}

// Version is the controller's build.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

// Problem is an error as RFC 9457 has it.
type Problem struct {
	Title       string       `json:"title"`
	Status      int          `json:"status"`
	Detail      string       `json:"detail"`
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Detail }

// Diagnostic is one fault in a cluster.hcl. Text is the whole of it as a person
// reads it: file, line, the source line, the hint.
type Diagnostic struct {
	Severity string `json:"severity"` // "error" or "warning"
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Text     string `json:"text"`
}
