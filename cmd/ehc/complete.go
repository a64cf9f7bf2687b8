package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
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
		return s.names(c, nodes), cobra.ShellCompDirectiveNoFileComp
	}
}

// names are the apps, and nodes, that a controller knows of.
func (s *streams) names(c *cobra.Command, nodes bool) []string {
	client, err := controllerOf(c, s)
	if err != nil {
		return nil
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), completeLimit) // a completion has no context
	defer cancel()
	status, err := client.Status(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, a := range status.Apps {
		names = append(names, a.App)
	}
	for _, n := range status.Nodes {
		if nodes {
			names = append(names, n.Node)
		}
	}
	return names
}

// completeFlag completes the value of one of c's flags.
func completeFlag(c *cobra.Command, name string, f completer) {
	noArgs := func(c *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return f(c, nil, word)
	}
	if err := c.RegisterFlagCompletionFunc(name, noArgs); err != nil {
		panic(err) // only when there is no such flag
	}
}
