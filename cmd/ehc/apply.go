package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

type applyCommand struct {
	streams     *streams
	config      string
	checkIndex  uint64
	autoApprove bool
	pruneHeld   bool
	wait        time.Duration
	target      string
}

func newApplyCommand(io *streams) *cobra.Command {
	a := &applyCommand{streams: io}
	c := &cobra.Command{
		Use:   "apply [-config FILE | PLANFILE] [-target APP|NODE] [-check-index N] [-auto-approve] [-prune-held] [-wait 60s]",
		Short: "Put a file in force and follow until the cluster is as it asks",
		Long: `Show the plan, put the file in force, and follow what the controller does until
the cluster is as the file asks.

A plan that prunes a node needs approval, and so does -prune-held: a person is
asked, or -auto-approve says so. What is approved is the plan that was shown: if
the cluster moves before it is applied, it is planned anew and, if the plan is
another, shown and asked about anew.

A PLANFILE saved by ehc plan -out, and -check-index, apply exactly one plan or
nothing: if anything has moved since, the plan is refused, and what has moved is
told. An index counts from the controller's start: only a PLANFILE is refused after a
restart whatever the index is by then. Saving a plan counts as approval of what it
prunes. Without a file, the one in force is applied again, which is of use with
-prune-held.

With -target a file that changes more than the block of this app, or of this node's
app, is refused; -prune-held approves only its nodes, and only it is waited for.

Interrupted, apply says what is left. The file is in force by then or it is not, and
it says which; the controller goes on by itself.`,
		Example: `  ehc apply -config cluster.hcl
  ehc apply -config cluster.hcl -check-index 418
  ehc apply change.plan
  ehc apply -config cluster.hcl -target phoenix
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
	f.StringVar(&a.target, "target", "", "only this `APP` or node")
	f.BoolVar(&a.autoApprove, "auto-approve", false, "do not ask")
	f.BoolVar(&a.pruneHeld, "prune-held", false, "prune what guards hold back, too")
	f.DurationVar(&a.wait, "wait", time.Minute, "follow for at most `TIME`; 0 does not follow")
	return c
}

func (a *applyCommand) run(c *cobra.Command, args []string) error {
	r, saved, approved, err := a.request(c, args)
	if err != nil {
		return err
	}
	client, err := controllerOf(c, a.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	start := a.streams.now()
	applied, err := a.apply(c.Context(), client, r, saved, approved)
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
	w.target = r.Target
	return w.follow(c.Context(), a.wait)
}

// request is what the command line asks for, the saved plan if it names one, and
// whether it is approved.
func (a *applyCommand) request(c *cobra.Command, args []string) (r api.ApplyRequest, saved *api.Plan, approved bool, err error) {
	r = api.ApplyRequest{CheckIndex: a.checkIndex, PruneHeld: a.pruneHeld, Target: a.target}
	if len(args) == 0 {
		r.File, r.Text, err = configFor(a.config)
		return r, nil, a.autoApprove, err
	}
	for flag, why := range map[string]string{
		"config":      "give -config FILE or a PLANFILE, not both",
		"check-index": "a PLANFILE has its own index: -check-index is not for it",
		"target":      "a PLANFILE has its own target: -target is not for it",
	} {
		if c.Flags().Changed(flag) {
			return r, nil, false, usage(c, errors.New(why))
		}
	}
	file, err := readPlan(args[0])
	if err != nil {
		return r, nil, false, err
	}
	r.File, r.Text, r.CheckIndex, r.Target = file.File, file.Text, file.Index, file.Target
	return r, &file.Plan, a.autoApprove || !a.pruneHeld, nil
}

func (a *applyCommand) say(text string) error {
	_, err := fmt.Fprint(a.streams.out, text)
	return err
}
