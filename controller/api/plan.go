package api

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// PlanBackend says what a file would do, and puts one in force.
type PlanBackend interface {
	Plan(ctx context.Context, r PlanRequest) (Plan, error)
	Apply(ctx context.Context, r ApplyRequest) (Applied, error)
}

func planRoutes(b PlanBackend, w WatchBackend) []route {
	return []route{
		newWatched(w, "GET /v1/plan", nil, asIs, func(ctx context.Context, _ url.Values, now Moment) (Plan, error) {
			p, err := b.Plan(ctx, PlanRequest{})
			p.Revision = now.Revision
			return p, err
		}),
		newWrite("POST /v1/plan", b.Plan),
		newWrite("POST /v1/apply", b.Apply),
	}
}

// Plan asks what a file would do.
func (c *Client) Plan(ctx context.Context, r PlanRequest) (Plan, error) {
	return ask[Plan](ctx, c, http.MethodPost, "/v1/plan", r)
}

// WatchPlan asks what a pass would do with the file in force, once there is
// something new.
func (c *Client) WatchPlan(ctx context.Context, w Watch) (Plan, error) {
	return askWatched[Plan](ctx, c, "/v1/plan?"+w.into(url.Values{}).Encode(), w)
}

// Apply puts a file in force.
func (c *Client) Apply(ctx context.Context, r ApplyRequest) (Applied, error) {
	return ask[Applied](ctx, c, http.MethodPost, "/v1/apply", r)
}

// PlanRequest asks what a file would do. An empty Text asks about the one in
// force.
type PlanRequest struct {
	File string `json:"file,omitempty"` // name for diagnostics
	Text string `json:"text,omitempty"`
	// Target is the app or the node of which alone to tell; empty: all.
	Target string `json:"target,omitempty"`
	// Probe tries the nodes that would be connected: EPMD and a whole handshake,
	// which ends at once.
	Probe bool `json:"probe,omitempty"`
}

// Plan is what a pass would do.
type Plan struct {
	Index    uint64   `json:"index"`
	Revision uint64   `json:"revision,omitempty"` // see Moment; of the file in force
	Actions  []Action `json:"actions"`            // in the order in which a pass does them; never null
	Held     []Hold   `json:"held"`               // never null
	// Changes are the blocks in which the file differs from the one in force.
	Changes []Change `json:"changes,omitempty"`
	// StartedAt is when the controller started: its index counts from there.
	StartedAt time.Time `json:"started_at,omitzero"`
	// Generation is that of the file in force.
	Generation uint64 `json:"generation"`
	// Target is what the request asked for.
	Target string `json:"target,omitempty"`
	// Probes are how the nodes fared that would be connected, if that was asked for.
	Probes []Probe `json:"probes,omitempty"`
	// Suspended names the apps to which nothing is done, whatever differs.
	Suspended []string `json:"suspended,omitempty"`
	// RestartRequired names what the file changes but is fixed at start.
	RestartRequired []string `json:"restart_required,omitempty"`
	Warnings        []string `json:"warnings,omitempty"`
}

// Change is a block in which a file differs from the one in force.
type Change struct {
	Op    string `json:"op"`    // "add", "change" or "remove"
	Block string `json:"block"` // as it stands in the file: peer "phoenix"
	// Settings are those that differ in a changed block: "queries", "prune.after".
	// Their values are not told: a setting may be secret.
	Settings []string `json:"settings,omitempty"`
}

// Probe is how a node fared that would be connected.
type Probe struct {
	Node    string `json:"node"`
	App     string `json:"app"`
	OK      bool   `json:"ok"`               // it would connect
	Reason  string `json:"reason,omitempty"` // a stable word, why not
	Message string `json:"message"`          // for people
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
	// PruneAt is when the node is due to be pruned if nothing else changes.
	PruneAt time.Time `json:"prune_at,omitzero"`
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
	// Target is the app or the node that may change: a file that changes another
	// block is refused (422), and PruneHeld approves only its nodes.
	Target string `json:"target,omitempty"`
}

// Applied answers an apply: the file is in force, and Plan says what the
// controller is now about to do.
type Applied struct {
	Plan Plan `json:"plan"`
}
