package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

type planCommand struct {
	streams  *streams
	config   string
	save     string
	output   *choice
	detailed bool
	offline  bool
	target   string
	probe    bool
}

func newPlanCommand(io *streams) *cobra.Command {
	p := &planCommand{streams: io}
	c := &cobra.Command{
		Use:   "plan [-config FILE] [-target APP|NODE] [-probe] [-o text|json] [-out PLANFILE] [-detailed-exitcode] [-offline]",
		Short: "Say what would be done to each node, and why",
		Long: `Say what a pass would do to each node, and why, and which nodes are held and why.
Nothing is done.

With -config the plan is that of the file: in which blocks it differs from the one
in force, and what would be done if it were. Without it the plan is that of the
file in force. With -offline no controller is asked: everything is looked up from
here, and the plan is that of a controller which is connected to nothing.

-probe tries the nodes that would be connected, the first 32: it asks EPMD, does a
whole handshake with each cookie in turn, and closes at once. It does so as a hidden
node of a name that is used once (ehc-probe-…), so that no link of ehc's is touched;
the peer logs it if it refuses the cookie. What it finds stands beside the node.

-target tells of one app or one node alone.

With -o json the plan is one object: index, generation, actions (kind, node, app,
reason), held (node, app, reason, prune), changes (op, block, settings), probes (node,
app, ok, reason, message), suspended, restart_required, warnings. Fields are added,
never renamed: the API's OpenAPI file describes them.`,
		Example: `  ehc plan -config cluster.hcl
  ehc plan -config cluster.hcl -probe
  ehc plan -config cluster.hcl -out change.plan
  ehc plan -target phoenix
  ehc plan -o json`,
		Annotations: after(`  0   there is a plan; with -detailed-exitcode: and nothing to do
  1   an error, told on standard error
  2   with -detailed-exitcode: there is something to do, or the file differs from
      the one in force`,
			"  ehc apply -config cluster.hcl -check-index N, with the N that the plan shows"),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.run(c) },
	}
	f := c.Flags()
	f.StringVar(&p.config, "config", "", "plan what this `FILE` asks for; without it, the file in force")
	f.StringVar(&p.save, "out", "", "save the plan to `PLANFILE`, for: ehc apply PLANFILE")
	f.BoolVar(&p.detailed, "detailed-exitcode", false, "exit with 2 if there is something to do or the file differs")
	f.StringVar(&p.target, "target", "", "tell only of this `APP` or node")
	f.BoolVar(&p.probe, "probe", false, "try the nodes that would be connected")
	f.BoolVar(&p.offline, "offline", false, "ask no controller; needs -config")
	p.output = outputFlag(c, asText, asJSON)
	return c
}

func (p *planCommand) run(c *cobra.Command) error {
	if p.offline && p.config == "" {
		return usage(c, errors.New("-offline needs -config"))
	}
	if p.offline && p.target != "" {
		return usage(c, errors.New("-target needs a controller"))
	}
	if p.offline && p.save != "" {
		return usage(c, errors.New("-out needs a controller: a plan made offline cannot be applied"))
	}
	plan, file, text, err := p.make(c)
	if err != nil {
		return err
	}
	if p.save != "" {
		saved := savedPlan{Format: planFormat, Version: buildVersion().Version, Index: plan.Index, File: file, Text: text, Target: p.target, Plan: plan}
		if err := saved.write(p.save); err != nil {
			return err
		}
	}
	if err := p.show(plan); err != nil {
		return err
	}
	if p.detailed && len(plan.Actions)+len(plan.Changes) > 0 {
		return exitCode(codeChanges)
	}
	return nil
}

// make asks for the plan. file and text are what was sent with the question.
func (p *planCommand) make(c *cobra.Command) (plan api.Plan, file, text string, err error) {
	if p.offline {
		plan, err = planOffline(c.Context(), p.streams, p.config, p.probe)
		return plan, p.config, "", err
	}
	if file, text, err = configFor(p.config); err != nil {
		return api.Plan{}, "", "", err
	}
	client, err := controllerOf(c, p.streams)
	if err != nil {
		return api.Plan{}, "", "", err
	}
	defer client.Close()
	plan, err = within(c.Context(), planLimit, func(ctx context.Context) (api.Plan, error) {
		return client.Plan(ctx, api.PlanRequest{File: file, Text: text, Target: p.target, Probe: p.probe})
	})
	return plan, file, text, err
}

func (p *planCommand) show(plan api.Plan) error {
	if p.output.word == asJSON {
		return writeJSON(p.streams.out, plan)
	}
	v := planView{plan: plan, config: p.config, saved: p.save, offline: p.offline, paint: paint(p.streams.color)}
	_, err := fmt.Fprint(p.streams.out, v.text()+v.next())
	return err
}
