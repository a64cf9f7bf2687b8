package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// replans bounds how often an apply plans again because the cluster moved
// between the plan and its approval.
const replans = 5

type applyCommand struct {
	streams     *streams
	config      string
	checkIndex  uint64
	autoApprove bool
	pruneHeld   bool
	wait        time.Duration
}

func newApplyCommand(io *streams) *cobra.Command {
	a := &applyCommand{streams: io}
	c := &cobra.Command{
		Use:   "apply [-config FILE | PLANFILE] [-check-index N] [-auto-approve] [-prune-held] [-wait 60s]",
		Short: "Put a file in force and follow until the cluster is as it asks",
		Long: `Show the plan, put the file in force, and follow what the controller does until
the cluster is as the file asks.

A plan that prunes a node needs approval, and so does -prune-held: a person is
asked, or -auto-approve says so. What is approved is the plan that was shown: if
the cluster moves before it is applied, it is planned anew and, if the plan is
another, shown and asked about anew.

A PLANFILE saved by ehc plan -out, and -check-index, apply exactly one plan or
nothing. Saving a plan counts as approval of what it prunes. Without a file, the
one in force is applied again, which is of use with -prune-held.`,
		Example: `  ehc apply -config cluster.hcl
  ehc apply -config cluster.hcl -check-index 418
  ehc apply change.plan
  ehc apply -prune-held -auto-approve`,
		Annotations: after(`  0   the file is in force and the cluster is as it asks (with -wait 0: the
      file is in force)
  1   an error; or not approved; or not converged within -wait`,
			"  ehc status, to see how things stand"),
		Args: atMostOne,
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&a.config, "config", "", "put this `FILE` in force")
	f.Uint64Var(&a.checkIndex, "check-index", 0, "apply only if the controller is still at index `N`")
	f.BoolVar(&a.autoApprove, "auto-approve", false, "do not ask")
	f.BoolVar(&a.pruneHeld, "prune-held", false, "prune what guards hold back, too")
	f.DurationVar(&a.wait, "wait", time.Minute, "follow for at most `TIME`; 0 does not follow")
	return c
}

func (a *applyCommand) run(c *cobra.Command, args []string) error {
	r, approved, err := a.request(c, args)
	if err != nil {
		return err
	}
	client, err := controllerOf(c, a.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	start := a.streams.now()
	applied, err := a.apply(c.Context(), client, r, approved)
	if err != nil {
		return err
	}
	if a.wait <= 0 {
		return a.say("\nApplied. The controller goes on by itself; to see how far it is: ehc status\n")
	}
	if err := a.say("\nApplied.\n"); err != nil {
		return err
	}
	w := newProgress(a.streams, client, applied.Plan, start)
	return w.follow(c.Context(), a.wait)
}

// request is what the command line asks for, and whether it is approved.
func (a *applyCommand) request(c *cobra.Command, args []string) (r api.ApplyRequest, approved bool, err error) {
	r = api.ApplyRequest{CheckIndex: a.checkIndex, PruneHeld: a.pruneHeld}
	if len(args) == 0 {
		r.File, r.Text, err = configFor(a.config)
		return r, a.autoApprove, err
	}
	if a.config != "" {
		return r, false, usage(c, errors.New("give -config FILE or a PLANFILE, not both"))
	}
	if c.Flags().Changed("check-index") {
		return r, false, usage(c, errors.New("a PLANFILE has its own index: -check-index is not for it"))
	}
	saved, err := readPlan(args[0])
	if err != nil {
		return r, false, err
	}
	r.File, r.Text, r.CheckIndex = saved.File, saved.Text, saved.Index
	return r, a.autoApprove || !a.pruneHeld, nil
}

// apply shows the plan, has it approved where it must be, and applies it. A
// cluster that moves in between is planned anew, unless the index was given.
func (a *applyCommand) apply(ctx context.Context, client *api.Client, r api.ApplyRequest, approved bool) (api.Applied, error) {
	var shown *api.Plan
	for range replans {
		plan, err := limited(ctx, func(ctx context.Context) (api.Plan, error) {
			return client.Plan(ctx, api.PlanRequest{File: r.File, Text: r.Text})
		})
		if err != nil {
			return api.Applied{}, err
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
		applied, err := limited(ctx, func(ctx context.Context) (api.Applied, error) { return client.Apply(ctx, send) })
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
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("This cuts the connection to %s.", nodeCount(n))
}

func (a *applyCommand) say(text string) error {
	_, err := fmt.Fprint(a.streams.out, text)
	return err
}

// moved says whether the controller refused because it is at another index.
func moved(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == http.StatusConflict
}

// unanswered adds to an error of an apply that it leaves open whether the file
// is in force.
func unanswered(err error) error {
	var refused *api.Problem
	switch {
	case err == nil, errors.As(err, &refused), errors.Is(err, api.ErrNoController):
		return err
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	return fmt.Errorf("%w before the controller answered: whether the file is in force is not known: ehc status", err)
}

// samePlan says whether two plans do and hold the same, whatever their index
// and however their reasons have aged.
func samePlan(a, b api.Plan) bool {
	return slices.EqualFunc(a.Actions, b.Actions, func(a, b api.Action) bool {
		return a.Kind == b.Kind && a.Node == b.Node && a.App == b.App
	}) && slices.EqualFunc(a.Held, b.Held, func(a, b api.Hold) bool {
		return a.Node == b.Node && a.Prune == b.Prune
	})
}

func nodeCount(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}
