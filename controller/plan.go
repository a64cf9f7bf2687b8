package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ehc/controller/api"
	"ehc/controller/history"
	"ehc/reconcile"
	"ehc/state"
	"ehc/state/spec"
)

// lookLimit bounds the lookups that a plan or an apply waits for.
const lookLimit = 15 * time.Second

// Plan says what a pass would do now, or would do if a file were in force.
func (c *Controller) Plan(ctx context.Context, r api.PlanRequest) (api.Plan, error) {
	now := c.store.Snapshot()
	supposed, s := now, c.config.Spec()
	var warnings spec.Diagnostics
	if r.Text != "" && !c.isInForce(r) {
		var err error
		if s, warnings, err = c.config.Parse(r.File, r.Text); err != nil {
			return api.Plan{}, problem(err)
		}
		if supposed, err = c.suppose(ctx, s); err != nil {
			return api.Plan{}, err
		}
	}
	out := PlanJSON(now.Index(), reconcile.Diff(supposed.Desired(), supposed.Live(), time.Now()))
	out.Generation, out.StartedAt = now.Generation(), c.started
	out.Changes = changesJSON(c.config.Spec(), s)
	out.Suspended = suspendedNames(now.Suspended())
	out.RestartRequired = c.config.RestartRequired(s)
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Summary))
	}
	out.Warnings = append(out.Warnings, pubsubWarnings(now, s.PubSub)...)
	if r.Target != "" {
		if err := target(&out, r.Target, supposed, now); err != nil {
			return api.Plan{}, err
		}
	}
	if r.Probe {
		out.Probes = Probe(ctx, c.prober, supposed, s, out.Actions)
	}
	return out, nil
}

// suppose returns the facts as they were if s were in force: on a copy of the
// store, after looking up what is new in s.
func (c *Controller) suppose(ctx context.Context, s state.Spec) (state.Snapshot, error) {
	fork, err := c.store.Fork()
	if err != nil {
		return state.Snapshot{}, err
	}
	if err := fork.SetSpec(s, time.Now()); err != nil {
		return state.Snapshot{}, err
	}
	if err := c.lookUpNew(ctx, fork, s); err != nil {
		return state.Snapshot{}, err
	}
	return fork.Snapshot(), nil
}

// lookUpNew looks up, into store, the apps of s with a query that has no outcome
// there yet.
func (c *Controller) lookUpNew(ctx context.Context, store *state.Store, s state.Spec) error {
	asked := map[[2]string]bool{}
	for _, q := range store.Snapshot().Queries() {
		asked[[2]string{q.App, q.Name}] = isKnown(q)
	}
	var fresh []state.App
	for _, a := range s.Apps {
		for _, q := range a.Queries {
			if !asked[[2]string{a.Name, q.Text}] {
				fresh = append(fresh, a)
				break
			}
		}
	}
	limit, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return c.look.Once(limit, store, fresh, s.DNS)
}

// Apply puts a file in force, and approves pruning what the guards hold back if
// the request says so.
func (c *Controller) Apply(ctx context.Context, r api.ApplyRequest) (api.Applied, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	if err := c.stillAt(r.CheckIndex); err != nil {
		return api.Applied{}, err // without a lookup
	}
	plan, err := c.Plan(ctx, api.PlanRequest{File: r.File, Text: r.Text, Target: r.Target})
	if err == nil {
		err = c.stillAt(r.CheckIndex) // its lookups take time
	}
	if err != nil {
		return api.Applied{}, err
	}
	if r.Target != "" {
		if err := onlyTarget(plan, r.Target, c.store.Snapshot()); err != nil {
			return api.Applied{}, err
		}
	}
	if r.Text != "" {
		if err := c.put(ctx, r.File, r.Text); err != nil {
			return api.Applied{}, err
		}
	}
	if r.PruneHeld {
		if err := c.approve(plan.Held); err != nil {
			return api.Applied{}, err
		}
	}
	c.log.Info("applied", "file", r.File, "actions", len(plan.Actions), "held", len(plan.Held), "prune_held", r.PruneHeld)
	return api.Applied{Plan: plan}, nil
}

// stillAt refuses unless the store is at this index; 0 is any.
func (c *Controller) stillAt(index uint64) error {
	if at := c.store.Snapshot().Index(); index != 0 && index != at {
		return api.NewProblem(http.StatusConflict, "the plan was made at index %d, and the controller is at %d: plan again", index, at)
	}
	return nil
}

// put makes text the file in force, and waits until its new queries are looked up, so
// that the next plan already knows what they list. That ctx ends before is no error: the
// file is in force.
func (c *Controller) put(ctx context.Context, file, text string) error {
	s, err := c.config.Apply(file, text)
	if err != nil {
		return problem(err)
	}
	if err := c.enforce(s); err != nil {
		return err
	}
	c.tell(history.Entry{Kind: history.Applied, Message: "in force: " + file})
	c.awaitLookups(ctx)
	return nil
}

// awaitLookups waits until discovery has looked every query up once, which it does at
// once with what is new to it, but no longer than lookLimit, or until ctx ends.
func (c *Controller) awaitLookups(ctx context.Context) {
	limit := time.Now().Add(lookLimit)
	for {
		snap := c.store.Snapshot()
		if len(notLookedUp(snap)) == 0 || !time.Now().Before(limit) || snap.Wait(ctx, limit) != nil {
			return
		}
	}
}

// approve lets go of what guards hold back.
func (c *Controller) approve(held []api.Hold) error {
	var nodes []state.Node
	for _, h := range held {
		if h.Prune {
			nodes = append(nodes, state.Node(h.Node))
		}
	}
	return c.store.Approve(nodes, time.Now())
}

func (c *Controller) isInForce(r api.PlanRequest) bool {
	current, _ := c.config.inForce()
	return r.Text == current.Text
}

// problem gives a caller the faults of its file one by one.
func problem(err error) error {
	var diags spec.Diagnostics
	if !errors.As(err, &diags) {
		return err
	}
	p := api.NewProblem(http.StatusUnprocessableEntity, "%s", diags.Error())
	for _, d := range diags {
		p.Diagnostics = append(p.Diagnostics, api.Diagnostic{
			Severity: string(d.Severity), Summary: d.Summary, Detail: d.Detail,
			File: d.File, Line: d.Line, Column: d.Column, Text: spec.Diagnostics{d}.Text(),
		})
	}
	return p
}

func changesJSON(old, new state.Spec) []api.Change {
	var out []api.Change
	for _, x := range spec.Changes(old, new) {
		out = append(out, api.Change(x))
	}
	return out
}

// PlanJSON is p as the API gives it.
func PlanJSON(index uint64, p reconcile.Plan) api.Plan {
	out := api.Plan{Index: index, Actions: []api.Action{}, Held: []api.Hold{}}
	for _, a := range p.Actions {
		out.Actions = append(out.Actions, api.Action{
			Kind: a.Kind.String(), Node: string(a.Node), App: a.App, Reason: a.Reason,
		})
	}
	for _, h := range p.Held {
		out.Held = append(out.Held, api.Hold{Node: string(h.Node), App: h.App, Reason: h.Reason, Prune: h.Prune, PruneAt: h.PruneAt})
	}
	return out
}
