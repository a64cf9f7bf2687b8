package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// The words for what drifts. Scripts depend on them.
const (
	driftDown     = "Down"            // listed, and not connected
	driftUnlisted = "Unlisted"        // connected, and listed no longer
	driftStranger = "Unclaimed"       // connected, and no peer block claims it
	driftUnsynced = "NotSynced"       // connected, and not resynced since it started
	driftBlind    = "LookupFailed"    // a query of the app gives no answer to go by
	driftBacklog  = "Waiting"         // events wait
	driftDamage   = "Damaged"         // a queue stands still
	driftHalted   = "Suspended"       // a person has suspended the app
	driftFile     = "FileNotInForce"  // the newest version of the file has faults
	driftRestart  = "RestartRequired" // the file in force changes what is fixed at start
)

// driftWords are all of them, and what they say.
func driftWords() [][2]string {
	return [][2]string{
		{driftDown, "a query lists the node, and it is not connected"},
		{driftUnlisted, "the node is connected, and no query lists it any more"},
		{driftStranger, "the node dialled in, and no peer block claims it"},
		{driftUnsynced, "the node has not been resynced since it started"},
		{driftBlind, "a query of the app gives no answer to go by"},
		{driftBacklog, "events wait for the app"},
		{driftDamage, "the app's queue is damaged and stands still"},
		{driftHalted, "a person has suspended the app"},
		{driftFile, "the newest version of the file has faults, and an older one is in force"},
		{driftRestart, "the file in force changes what is fixed at start"},
	}
}

// drift is one thing that is not as the file in force asks, though nobody asked
// for that.
type drift struct {
	Kind    string    `json:"kind"`
	App     string    `json:"app,omitempty"`
	Node    string    `json:"node,omitempty"`
	Reason  string    `json:"reason,omitempty"` // a stable word of ehc explain
	Message string    `json:"message"`
	Since   time.Time `json:"since,omitzero"`
}

func newDriftCommand(s *streams) *cobra.Command {
	var output *choice
	var detailed bool
	words := ""
	for _, w := range driftWords() {
		words += fmt.Sprintf("  %-16s %s\n", w[0], w[1])
	}
	c := &cobra.Command{
		Use:   "drift [-o text|json] [-detailed-exitcode]",
		Short: "Say what is not as the file in force asks, though nobody asked",
		Long: `Say in what the cluster is not as the file in force asks, though nobody asked for
that: each with since when and why. Nothing is done, and nothing is looked up anew.

` + words,
		Example: "  ehc drift\n  ehc drift -detailed-exitcode -o json",
		Annotations: after(`  0   it was told; with -detailed-exitcode: and nothing has drifted
  1   an error, told on standard error
  2   with -detailed-exitcode: something has drifted`,
			"  ehc plan, to see what the controller is about to do\n  ehc explain REASON, to see what may help"),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			status, err := answerOf(c, s, (*api.Client).Status)
			if err != nil {
				return err
			}
			plan, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Plan, error) {
				return client.Plan(ctx, api.PlanRequest{})
			})
			if err != nil {
				return err
			}
			found := drifts(status, plan)
			if output.word == asJSON {
				err = writeJSON(s.out, map[string]any{"index": status.Index, "drift": found})
			} else {
				_, err = io.WriteString(s.out, driftText(found, s.now()))
			}
			if err == nil && detailed && len(found) > 0 {
				err = exitCode(codeChanges)
			}
			return err
		},
	}
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 if something has drifted")
	output = outputFlag(c, asText, asJSON)
	return c
}

// drifts are what a status and the plan of the file in force show, the file's own
// first, then by app, then by node.
func drifts(s api.Status, plan api.Plan) []drift {
	found := []drift{}
	if s.Config.Error != "" {
		found = append(found, drift{Kind: driftFile, Message: s.Config.Error})
	}
	for _, name := range s.Config.RestartRequired {
		found = append(found, drift{Kind: driftRestart, Message: name + " changes when the controller is started anew"})
	}
	for _, x := range s.Suspended {
		found = append(found, drift{Kind: driftHalted, App: x.App, Reason: "Suspended", Since: x.Since, Message: "until: ehc resume " + x.App})
	}
	for _, a := range s.Apps {
		found = append(found, appDrifts(s, a)...)
	}
	for _, n := range s.Nodes {
		found = append(found, nodeDrifts(n, plan)...)
	}
	return found
}

func appDrifts(s api.Status, a api.App) []drift {
	var found []drift
	kinds := map[string]string{"Discovered": driftBlind, "Drained": driftBacklog, "OutboxIntact": driftDamage}
	for _, c := range a.Conditions {
		kind, ok := kinds[c.Type]
		if !ok || c.Status != "False" || c.Reason == "NoNodes" {
			continue
		}
		message := c.Message
		if kind == driftBacklog {
			message = events(queueOf(s, a.App).Pending) + "; " + message
		}
		found = append(found, drift{Kind: kind, App: a.App, Reason: c.Reason, Message: message, Since: c.Since})
	}
	return found
}

func nodeDrifts(n api.Node, plan api.Plan) []drift {
	d := drift{App: n.App, Node: n.Node, Reason: n.Reason, Message: n.Message, Since: n.Since}
	up := n.Phase == "up"
	switch {
	case n.Listed && !up:
		d.Kind, d.Message = driftDown, orElse(n.Message, "not connected yet")
		for _, c := range n.Conditions {
			if c.Type == "Connected" && d.Since.IsZero() {
				d.Since = c.Since // it has never been connected
			}
		}
	case up && n.App == "":
		d.Kind, d.Message = driftStranger, "no peer block claims it: ehc leaves it alone"
	case up && !n.Listed:
		d.Kind, d.Message = driftUnlisted, heldBecause(plan, n.Node)
	default:
		for _, c := range n.Conditions {
			if c.Type == "Synced" && c.Status == "False" {
				d.Kind, d.Reason, d.Message, d.Since = driftUnsynced, c.Reason, c.Message, c.Since
			}
		}
	}
	if d.Kind == "" {
		return nil
	}
	return []drift{d}
}

// heldBecause is why a plan keeps a node.
func heldBecause(plan api.Plan, node string) string {
	for _, h := range plan.Held {
		if h.Node == node {
			return "kept: " + h.Reason
		}
	}
	return "about to be pruned"
}

func driftText(found []drift, now time.Time) string {
	if len(found) == 0 {
		return "Nothing has drifted.\n"
	}
	t := table{indent: true}
	t.add("KIND", "APP", "NODE", "SINCE", "REASON", "MESSAGE")
	for _, d := range found {
		message, _, _ := strings.Cut(d.Message, "\n")
		t.add(d.Kind, orElse(d.App, "-"), orElse(d.Node, "-"), when(d.Since, now, false), orElse(d.Reason, "-"), message)
	}
	return t.text() + fmt.Sprintf("\n%d not as the file in force asks. To see what is about to be done: ehc plan\n", len(found))
}
