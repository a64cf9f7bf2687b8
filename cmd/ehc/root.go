package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// The exit codes. Scripts depend on them.
const (
	codeDone    = 0 // done, or nothing to do
	codeError   = 1
	codeChanges = 2 // -detailed-exitcode: there is something to do, or has drifted
)

// exitCode ends a command with a code of its own after it has said all there is
// to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that cannot be understood.
type usageError struct {
	command string // "ehc plan"
	err     error
}

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

// execute runs one command line, without the program's name, and returns the
// exit code.
func execute(ctx context.Context, s *streams, args []string) int {
	root := newRootCommand(s)
	root.SetArgs(normalise(root, args))
	return s.report(root.ExecuteContext(ctx))
}

// newRootCommand is ehc with all of its commands.
func newRootCommand(io *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "ehc COMMAND",
		Short: "Keep Erlang and Elixir clusters as cluster.hcl asks",
		Long: `ehc joins Erlang and Elixir clusters as a node and keeps them as one file,
cluster.hcl, asks: it connects the nodes that DNS lists, prunes those that it
lists no longer, and delivers events that wait for them.`,
		Example: `  ehc validate                    is cluster.hcl sound?
  ehc run -config cluster.hcl -data DIR
  ehc plan -config cluster.hcl    what would change, and why
  ehc apply -config cluster.hcl   change it`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          aCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { _ = writeHelp(io.out, c) })
	root.SetUsageFunc(func(c *cobra.Command) error { return writeHelp(io.err, c) })
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{command: c.CommandPath(), err: err}
	})
	root.PersistentFlags().String(apiFlag, "", "the controller's `ADDR`, unix:PATH or http://HOST:PORT; else EHC_API, else EHC_DATA's ehc.sock")
	root.AddCommand(
		newRunCommand(io), newPlanCommand(io), newApplyCommand(io), newStatusCommand(io),
		newGetCommand(io), newEventsCommand(io), newTopCommand(io),
		newDriftCommand(io), newDoctorCommand(io), newSuspendCommand(io), newResumeCommand(io), newLogCommand(io),
		newEmitCommand(io), newCountCommand(io), newCallCommand(io), newWatchCommand(io), newBroadcastCommand(io),
		newOutboxCommand(io), newValidateCommand(io), newFmtCommand(io),
		newCookieCommand(io), newDevCommand(io), newExplainCommand(io), newManCommand(io), newVersionCommand(io),
	)
	io.completeFlags(root)
	return root
}

// report says what went wrong, if anything, and returns the exit code.
func (s *streams) report(err error) int {
	var code exitCode
	var problem *api.Problem
	switch {
	case err == nil:
		return codeDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &problem) && len(problem.Diagnostics) > 0:
		var texts []string
		for _, d := range problem.Diagnostics {
			texts = append(texts, strings.TrimRight(d.Text, "\n")+"\n")
		}
		s.complain(strings.Join(texts, "\n"))
	case errors.Is(err, context.Canceled):
		s.complain("ehc: interrupted\n")
	default:
		s.complain(paint(s.colorErr).in(red, "Error:") + " " + printableLines(err.Error()) + "\n")
	}
	s.complain(remedy(err))
	return codeError
}

// complain writes text to err as it is. What cannot be said there cannot be
// said at all.
func (s *streams) complain(text string) { _, _ = fmt.Fprint(s.err, text) }
