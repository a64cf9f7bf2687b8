package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newSuspendCommand(s *streams) *cobra.Command {
	return suspension(s, &cobra.Command{
		Use:   "suspend APP [-o text|json]",
		Short: "Leave an app alone until ehc resume",
		Long: `Leave an app of the file in force alone: from now on nothing is connected, pruned,
resynced or delivered for it, whatever differs. What is under way comes to its end.
Its connections stay, its events wait on disk, and it is still looked up, so that
status and plan show how it stands: there it is held as "suspended". A restart of
the controller changes nothing of that.`,
		Example:     "  ehc suspend phoenix",
		Annotations: after(plainCodes, "  ehc resume phoenix"),
	}, outcome{"is now suspended", "is suspended already"}, (*api.Client).Suspend)
}

func newResumeCommand(s *streams) *cobra.Command {
	return suspension(s, &cobra.Command{
		Use:         "resume APP [-o text|json]",
		Short:       "End what ehc suspend began",
		Long:        `End what ehc suspend began: the next pass does for the app what is to do.`,
		Example:     "  ehc resume phoenix",
		Annotations: after(plainCodes, "  ehc plan, to see what is to do for it"),
	}, outcome{"is suspended no longer", "is not suspended"}, (*api.Client).Resume)
}

// outcome is how an app is then: because of this, or as it was before.
type outcome struct{ changed, same string }

// suspension makes c the command that asks for one of the two.
func suspension(s *streams, c *cobra.Command, then outcome, ask func(*api.Client, context.Context, api.SuspendRequest) (api.Suspensions, error)) *cobra.Command {
	output := outputFlag(c, asText, asJSON)
	c.ValidArgsFunction = s.apps(false)
	c.Args = exactlyOne("name one APP: a peer block of the file in force")
	c.RunE = func(c *cobra.Command, args []string) error {
		got, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Suspensions, error) {
			return ask(client, ctx, api.SuspendRequest{App: args[0]})
		})
		if err != nil {
			return err
		}
		if output.word == asJSON {
			return writeJSON(s.out, got)
		}
		_, err = io.WriteString(s.out, suspensionText(args[0], then, got))
		return err
	}
	return c
}

func suspensionText(app string, then outcome, got api.Suspensions) string {
	how := then.changed
	if !got.Changed {
		how = then.same
	}
	text := printable(app) + " " + how + ".\n"
	var names []string
	for _, x := range got.Suspended {
		names = append(names, printable(x.App))
	}
	if len(names) > 0 {
		text += "Suspended: " + strings.Join(names, ", ") + "\n"
	}
	return text
}
