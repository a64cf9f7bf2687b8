package api

import (
	"context"
	"net/url"
	"time"
)

// StatusBackend says how things stand.
type StatusBackend interface {
	Status(ctx context.Context) (Status, error)
}

func statusRoutes(b StatusBackend, w WatchBackend) []route {
	return []route{
		newWatched(w, "GET /v1/status", nil, asIs, func(ctx context.Context, _ url.Values, now Moment) (Status, error) {
			s, err := b.Status(ctx)
			s.Revision = now.Revision
			return s, err
		}),
		newWatched(w, "GET /v1/nodes", []string{"app"}, asIs, func(ctx context.Context, v url.Values, now Moment) (Nodes, error) {
			s, err := b.Status(ctx)
			out := Nodes{Moment: Moment{s.Index, now.Revision}, Nodes: []Node{}}
			for _, n := range s.Nodes {
				if !v.Has("app") || n.App == v.Get("app") {
					out.Nodes = append(out.Nodes, n)
				}
			}
			return out, err
		}),
		newWatched(w, "GET /v1/apps", nil, asIs, func(ctx context.Context, _ url.Values, now Moment) (Apps, error) {
			s, err := b.Status(ctx)
			return Apps{Moment: Moment{s.Index, now.Revision}, Apps: s.Apps}, err
		}),
	}
}

// Status asks how things stand.
func (c *Client) Status(ctx context.Context) (Status, error) { return c.WatchStatus(ctx, Watch{}) }

// WatchStatus asks how things stand, once there is something new.
func (c *Client) WatchStatus(ctx context.Context, w Watch) (Status, error) {
	return askWatched[Status](ctx, c, "/v1/status?"+w.into(url.Values{}).Encode(), w)
}

// Nodes asks for the nodes of an app, or for all with app "*", once there is
// something new. App "" has the nodes that no peer block claims.
func (c *Client) Nodes(ctx context.Context, app string, w Watch) (Nodes, error) {
	v := w.into(url.Values{})
	if app != AllApps {
		v.Set("app", app)
	}
	return askWatched[Nodes](ctx, c, "/v1/nodes?"+v.Encode(), w)
}

// Apps asks for the apps, once there is something new.
func (c *Client) Apps(ctx context.Context, w Watch) (Apps, error) {
	return askWatched[Apps](ctx, c, "/v1/apps?"+w.into(url.Values{}).Encode(), w)
}

// AllApps is no app's name; it asks for the nodes of any.
const AllApps = "*"

// Nodes are nodes, ordered by name.
type Nodes struct {
	Moment
	Nodes []Node `json:"nodes"` // never null
}

// Apps are the apps of the file in force, ordered by name.
type Apps struct {
	Moment
	Apps []App `json:"apps"` // never null
}

// Status is what the controller knows, at one index.
type Status struct {
	Index    uint64      `json:"index"`
	Revision uint64      `json:"revision,omitempty"` // see Moment
	Node     string      `json:"node"`               // ehc's own name
	Cookie   string      `json:"cookie"`             // a fingerprint
	Version  string      `json:"version"`            //
	Config   Config      `json:"config"`
	Nodes    []Node      `json:"nodes"`  // ordered by name; never null
	Apps     []App       `json:"apps"`   // ordered by name; never null
	Outbox   []OutboxApp `json:"outbox"` // ordered by app; never null
	// Suspended are the apps that a person has told ehc to leave alone.
	Suspended []Suspension `json:"suspended,omitempty"`
	// Warnings is what was found wrong at the start, and a volume that is full, for
	// people.
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
