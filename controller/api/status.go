package api

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// StatusBackend says how things stand.
type StatusBackend interface {
	Status(ctx context.Context) (Status, error)
}

func statusRoutes(b StatusBackend) []route {
	return []route{
		newRead("GET /v1/status", nil, func(ctx context.Context, _ url.Values) (Status, error) { return b.Status(ctx) }),
	}
}

// Status asks how things stand.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

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
	// Suspended are the apps that a person has told ehc to leave alone.
	Suspended []Suspension `json:"suspended,omitempty"`
	// Warnings is what was found wrong at the start, for people.
	Warnings []string `json:"warnings,omitempty"`
}

// Config is which file is in force.
type Config struct {
	File      string    `json:"file"`
	AppliedAt time.Time `json:"applied_at"`
	// Generation grows with each file that is put in force.
	Generation uint64 `json:"generation"`
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
	// Conditions are what holds of the node, or does not: Discovered, Connected,
	// Synced.
	Conditions []Condition `json:"conditions"`
}

// App is one peer block and how it stands.
type App struct {
	App        string      `json:"app"`
	Conditions []Condition `json:"conditions"`
}

// Condition is one thing that holds for an app or a node, or does not: Discovered,
// Connected, Synced; for an app Active, too, for one that asks Fly for its machines
// Running, and for one that gets events Drained and OutboxIntact.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"` // "True", "False" or "Unknown"
	Reason  string `json:"reason"` // a stable word
	Message string `json:"message"`
	// Since is when Status last changed.
	Since time.Time `json:"since,omitzero"`
	// ObservedGeneration is that of the file in force of which it speaks.
	ObservedGeneration uint64 `json:"observed_generation"`
}
