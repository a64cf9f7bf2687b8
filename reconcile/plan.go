// Package reconcile decides what must change and has it done, one pass at a
// time.
//
// Diff decides and touches nothing: rows in, plan out, with the time as an
// argument. Apply starts what Diff decided, through the Effects that its caller
// gives it. When to run a pass, how to dial or drain, and what to make of an
// outcome is the controller's business; outcomes come back as rows.
package reconcile

import (
	"cmp"
	"slices"
	"time"

	"ehc/state"
)

// Kind is what an action does. Kinds are ordered as a pass runs them.
type Kind uint8

// The kinds of action.
const (
	Prune   Kind = iota + 1 // cut the connection to a node that no query lists
	Connect                 // dial a node that a query lists
	Resync                  // learn anew what the restart of a peer has changed
	Drain                   // deliver what waits for an app through one of its nodes
)

var kindNames = [...]string{Prune: "prune", Connect: "connect", Resync: "resync", Drain: "drain"}

// String is the kind's word in plans, on the command line and in JSON.
func (k Kind) String() string { return kindNames[k] }

// Suspended is the reason of a hold that a person asked for.
const Suspended = "suspended"

// Action is one thing to do to one node, and why.
type Action struct {
	Kind   Kind
	Node   state.Node
	App    string
	Reason string // for people, with no times in it
}

// Hold is a node, or the delivery through it, that something keeps from being
// acted on, and what. A node may have several.
type Hold struct {
	Node   state.Node
	App    string
	Reason string // for people, with no times in it, so that it reads the same at every pass
	// Prune says that a guard holds the node, which state.Store.Approve lets go
	// of; without it, the hold ends with time or with what comes next.
	Prune bool
	// PruneAt is when the node is due to be pruned, if nothing else changes; zero if
	// it is not.
	PruneAt time.Time
}

// Plan is what one pass is to do.
type Plan struct {
	Actions []Action  // ordered by kind, then node
	Held    []Hold    // ordered by node
	Wake    time.Time // when Diff may answer differently with no new facts; zero if never
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Actions) == 0 }

func (p *Plan) do(k Kind, n state.Node, app, reason string) {
	p.Actions = append(p.Actions, Action{Kind: k, Node: n, App: app, Reason: reason})
}

func (p *Plan) hold(n state.Node, app, reason string) {
	p.Held = append(p.Held, Hold{Node: n, App: app, Reason: reason})
}

func (p *Plan) guard(n state.Node, app, reason string) {
	p.Held = append(p.Held, Hold{Node: n, App: app, Reason: reason, Prune: true})
}

func (p *Plan) wakeAt(t time.Time) {
	if p.Wake.IsZero() || t.Before(p.Wake) {
		p.Wake = t
	}
}

// sort puts the plan into its order, whatever the order of the facts was.
func (p *Plan) sort() {
	slices.SortFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Node, b.Node), cmp.Compare(a.App, b.App))
	})
	slices.SortFunc(p.Held, func(a, b Hold) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.App, b.App), cmp.Compare(a.Reason, b.Reason))
	})
}
