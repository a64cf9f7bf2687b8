package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usage marks err as a fault of the command line of c.
func usage(c *cobra.Command, err error) error { return &usageError{command: c.CommandPath(), err: err} }

// noArguments refuses arguments that are not flags.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, fmt.Errorf("%s takes no argument: %q", c.CommandPath(), args[0]))
	}
	return nil
}

// atMostOne allows one argument that is not a flag.
func atMostOne(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage(c, fmt.Errorf("%s takes one argument, not %d", c.CommandPath(), len(args)))
	}
	return nil
}

// exactlyOne wants one argument that is not a flag, and asks for it by what it is.
func exactlyOne(ask string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage(c, errors.New(ask))
		}
		return nil
	}
}

// aCommand refuses what is not a command below c, and names one that may have
// been meant.
func aCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	meant := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		meant = "; did you mean " + anyOf(near) + "?"
	}
	return usage(c, fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], meant))
}

// anyOf is words as a choice: a, b or c.
func anyOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
