package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completeLimit is how long a shell waits for the names at a controller.
const completeLimit = time.Second

// completer completes an argument or the value of a flag.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// apps completes one argument with the apps of the file in force, and with its nodes
// if they can be meant, too. Without a controller there is nothing to offer.
func (s *streams) apps(nodes bool) completer {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return s.matching(c, nodes), cobra.ShellCompDirectiveNoFileComp
	}
}

// matching are the apps that a controller knows of and, if they can be meant, the nodes.
func (s *streams) matching(c *cobra.Command, nodes bool) []string {
	apps, names := s.names(c)
	if nodes {
		apps = append(apps, names...)
	}
	return apps
}

// names are the apps and the nodes that a controller knows of.
func (s *streams) names(c *cobra.Command) (apps, nodes []string) {
	client, err := controllerOf(c, s)
	if err != nil {
		return nil, nil
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), completeLimit) // a completion has no context
	defer cancel()
	status, err := client.Status(ctx)
	if err != nil {
		return nil, nil
	}
	for _, a := range status.Apps {
		apps = append(apps, a.App)
	}
	for _, n := range status.Nodes {
		nodes = append(nodes, n.Node)
	}
	return apps, nodes
}

// completeFlags completes the values of the flags of c, and of all commands below it:
// what is called app, node or target, and choices.
func (s *streams) completeFlags(c *cobra.Command) {
	named := func(pick func(apps, nodes []string) []string) completer {
		return func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return pick(s.names(c)), cobra.ShellCompDirectiveNoFileComp
		}
	}
	by := map[string]completer{
		"app":    named(func(apps, _ []string) []string { return apps }),
		"node":   named(func(_, nodes []string) []string { return nodes }),
		"target": named(func(apps, nodes []string) []string { return append(apps, nodes...) }),
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		complete := by[f.Name]
		if one, ok := f.Value.(*choice); ok {
			complete = cobra.FixedCompletions(one.of, cobra.ShellCompDirectiveNoFileComp)
		}
		if complete == nil {
			return
		}
		if err := c.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
			panic(err) // only when there is one already
		}
	})
	for _, below := range c.Commands() {
		s.completeFlags(below)
	}
}
