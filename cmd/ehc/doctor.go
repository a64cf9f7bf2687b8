package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/controller/doctor"
	"ehc/state"
)

// codeFailures is the exit code of a doctor that found a failure.
const codeFailures = 2

// examineLimit bounds one examination, here or at a controller.
const examineLimit = 90 * time.Second

type doctorCommand struct {
	streams *streams
	config  string
	data    string
	strict  bool
	output  *choice
}

func newDoctorCommand(s *streams) *cobra.Command {
	d := &doctorCommand{streams: s}
	var words strings.Builder
	for _, c := range doctor.Checks() {
		fmt.Fprintf(&words, "  %-12s %s\n", c.Word, c.Means)
	}
	c := &cobra.Command{
		Use:   "doctor [APP] [-config FILE] [-data DIR] [-strict] [-o text|json]",
		Short: "Look for what keeps a cluster from coming together",
		Long: `Examine what has to be so for a cluster to come together, of one app or of all, and
say of each thing whether it is, and if not what to do: the checklist for a
deployment, run instead of read.

Without -config a running controller examines itself, from where it stands. With
-config nobody has to run: everything is looked at from here, as the node that the
file names, with -data (or EHC_DATA) as the data folder.

Nothing is changed. Each node gets a whole handshake of a hidden node whose name is
used once (ehc-probe-…) and which leaves at once; without a controller one more
(ehc-doctor-…), for the calls that ask the node about itself: erlang:system_info,
system_time and function_exported, code:ensure_loaded, net_kernel:get_net_ticktime,
pg:which_groups. Of one app 64 nodes are tried at most, and 8 asked.

` + words.String(),
		Example: `  ehc doctor
  ehc doctor phoenix
  ehc doctor -config cluster.hcl
  ehc doctor -o json`,
		Annotations: after(`  0   nothing keeps it from working; there may be warnings
  1   an error: it could not look
  2   at least one failure; with -strict: or a warning`,
			"  the fix that stands below a failure, then ehc doctor again"),
		Args: atMostOne,
		RunE: func(c *cobra.Command, args []string) error { return d.run(c, strings.Join(args, "")) },
	}
	c.Flags().StringVar(&d.config, "config", "", "examine what this `FILE` asks for, without a controller")
	c.Flags().StringVar(&d.data, "data", "", "the data folder, `DIR`, to look at; else EHC_DATA")
	c.Flags().BoolVar(&d.strict, "strict", false, "take warnings for failures")
	d.output = outputFlag(c, asText, asJSON)
	c.ValidArgsFunction = s.apps(false)
	return c
}

func (d *doctorCommand) run(c *cobra.Command, app string) error {
	ctx, cancel := context.WithTimeout(c.Context(), examineLimit)
	defer cancel()
	e := api.Examination{Findings: []api.Finding{}}
	var failed error
	tell := func(f api.Finding) {
		e.Findings = append(e.Findings, f)
		if d.output.word == asText && failed == nil {
			_, failed = io.WriteString(d.streams.out, findingText(f, paint(d.streams.color)))
		}
	}
	if err := d.examine(ctx, c, app, tell); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if ctx.Err() != nil {
		return fmt.Errorf("not looked at all of it: %s", cause(ctx.Err()))
	}
	count := map[string]int{}
	for _, f := range e.Findings {
		count[f.Level]++
	}
	var err error
	if d.output.word == asJSON {
		err = writeJSON(d.streams.out, e)
	} else {
		_, err = fmt.Fprintf(d.streams.out, "\n%d ok, %d to look at, %d to mend.\n", count["ok"], count["warning"], count["failure"])
	}
	if err == nil && (count["failure"] > 0 || d.strict && count["warning"] > 0) {
		err = exitCode(codeFailures)
	}
	return err
}

// examine has a controller look, or looks itself.
func (d *doctorCommand) examine(ctx context.Context, c *cobra.Command, app string, tell func(api.Finding)) error {
	if d.config != "" {
		return d.look(ctx, app, tell)
	}
	client, err := controllerOf(c, d.streams)
	if err != nil {
		return fmt.Errorf("%w; or give -config FILE to look without one", err)
	}
	defer client.Close()
	e, err := client.Doctor(ctx, app)
	if errors.Is(err, api.ErrNoController) {
		return fmt.Errorf("%w; to look without one: ehc doctor -config FILE", err)
	}
	for _, f := range e.Findings {
		tell(f)
	}
	return err
}

// look examines from here.
func (d *doctorCommand) look(ctx context.Context, app string, tell func(api.Finding)) error {
	spec, err := parseFile(d.streams, d.config)
	if err != nil {
		return err // with its diagnostics, which are the finding
	}
	if app != "" && !hasApp(spec, app) {
		return fmt.Errorf("%s has no peer block %q", d.config, app)
	}
	tell(controller.FindingJSON(doctor.Finding{Level: doctor.OK, Check: doctor.ConfigFile, Message: d.config + " has no fault"}))
	prober, err := newProber(spec.Node)
	if err != nil {
		return err
	}
	stranger := &visitor{spec: spec.Node}
	defer stranger.leave()
	data := orElse(d.data, d.streams.getenv("EHC_DATA"))
	w := doctor.World{
		Spec: spec, Lookup: d.streams.env, Now: d.streams.now, DataDir: data, Probe: prober, Caller: stranger.call,
	}
	doctor.Examine(ctx, w, app, func(f doctor.Finding) { tell(controller.FindingJSON(f)) })
	return nil
}

func hasApp(s state.Spec, name string) bool {
	for _, a := range s.Apps {
		if a.Name == name {
			return true
		}
	}
	return false
}

// findingText is a finding as people read it, with its fix in a line of its own.
func findingText(f api.Finding, p paint) string {
	colours := map[string]string{"ok": green, "warning": yellow, "failure": red}
	of := orElse(f.Node, orElse(f.App, "ehc"))
	text := p.in(colours[f.Level], fmt.Sprintf("%-8s", f.Level)) + fmt.Sprintf(" %-12s %s: ", f.Check, printable(of))
	text += printable(f.Message)
	if f.Reason != "" {
		text += " (" + printable(f.Reason) + ")"
	}
	text += "\n"
	if f.Fix != "" {
		text += strings.Repeat(" ", 22) + "fix: " + printable(f.Fix) + "\n"
	}
	return text
}
