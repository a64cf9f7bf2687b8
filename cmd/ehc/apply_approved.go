package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"ehc/controller/api"
)

// replans bounds how often an apply plans again because the cluster moved
// between the plan and its approval.
const replans = 5

// apply shows the plan, has it approved where it must be, and applies it. A
// cluster that moves in between is planned anew, unless the index was given. saved
// is the plan that alone may be applied; nil if there is none.
func (a *applyCommand) apply(ctx context.Context, client *api.Client, r api.ApplyRequest, saved *api.Plan, approved bool) (api.Applied, error) {
	var shown *api.Plan
	for range replans {
		plan, err := within(ctx, planLimit, func(ctx context.Context) (api.Plan, error) {
			return client.Plan(ctx, api.PlanRequest{File: r.File, Text: r.Text, Target: r.Target})
		})
		if err != nil {
			return api.Applied{}, err
		}
		// Time, and what new queries list, may make it another at the same index.
		if saved != nil && (plan.Index != saved.Index || !plan.StartedAt.Equal(saved.StartedAt) || !samePlan(*saved, plan)) {
			return api.Applied{}, stale(*saved, plan)
		}
		if r.CheckIndex != 0 && plan.Index != r.CheckIndex {
			return api.Applied{}, fmt.Errorf("the plan was made at index %d, and the controller is at %d: plan again", r.CheckIndex, plan.Index)
		}
		if shown == nil || !samePlan(*shown, plan) {
			if err := a.present(ctx, plan, approved, shown != nil); err != nil {
				return api.Applied{}, err
			}
			shown = &plan
		}
		send := r
		if !a.autoApprove {
			send.CheckIndex = plan.Index // what was shown, not what may have become of it
		}
		applied, err := within(ctx, planLimit, func(ctx context.Context) (api.Applied, error) { return client.Apply(ctx, send) })
		if err == nil || r.CheckIndex != 0 || !moved(err) {
			return applied, unanswered(err)
		}
	}
	return api.Applied{}, fmt.Errorf("the cluster moved before each of %d plans could be applied: try again, or give -auto-approve", replans)
}

// present shows a plan and asks whether to do it if it has to be approved.
func (a *applyCommand) present(ctx context.Context, plan api.Plan, approved, again bool) error {
	v := planView{plan: plan, paint: paint(a.streams.color)}
	text := v.text()
	if again {
		text = "\nThe cluster has moved. The plan is now:\n\n" + text
	}
	if err := a.say(text); err != nil {
		return err
	}
	if question := a.question(plan); question != "" && !approved {
		return a.streams.approve(ctx, question)
	}
	return nil
}

// question is what a person has to say yes to; empty if nothing in the plan
// needs it.
func (a *applyCommand) question(plan api.Plan) string {
	n := 0
	for _, action := range plan.Actions {
		if action.Kind == "prune" {
			n++
		}
	}
	if a.pruneHeld {
		n += guarded(plan)
	}
	later := due(plan)
	switch {
	case n == 0 && later == 0:
		return ""
	case later == 0:
		return fmt.Sprintf("This cuts the connection to %s.", nodeCount(n))
	case n == 0:
		return fmt.Sprintf("This cuts the connection to %s after the grace.", nodeCount(later))
	}
	return fmt.Sprintf("This cuts the connection to %s, and to %s after the grace.", nodeCount(n), nodeCount(later))
}

// due is how many nodes wait for the end of their grace because of what the file
// changes.
func due(plan api.Plan) int {
	n := 0
	for _, h := range plan.Held {
		changes := slices.ContainsFunc(plan.Changes, func(x api.Change) bool { return x.Block == fmt.Sprintf("peer %q", h.App) || x.Block == "dns" })
		if changes && !h.PruneAt.IsZero() {
			n++
		}
	}
	return n
}

// moved says whether the controller refused because it is at another index.
func moved(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == http.StatusConflict
}

// unanswered adds to an error of an apply that it leaves open whether the file
// is in force.
func unanswered(err error) error {
	if err == nil || answered(err) {
		return err
	}
	return fmt.Errorf("%s; whether the file is in force is not known: ehc status", cause(err))
}

// samePlan says whether two plans do and hold the same, whatever their index
// and however their reasons have aged.
func samePlan(a, b api.Plan) bool {
	return slices.EqualFunc(a.Actions, b.Actions, func(a, b api.Action) bool {
		return a.Kind == b.Kind && a.Node == b.Node && a.App == b.App
	}) && slices.EqualFunc(a.Held, b.Held, func(a, b api.Hold) bool {
		return a.Node == b.Node && a.Prune == b.Prune
	}) && slices.Equal(changeWords(a), changeWords(b))
}

func nodeCount(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}
