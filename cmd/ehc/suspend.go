package main

import (
	"context"
	"fmt"
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
	}, "suspended", (*api.Client).Suspend)
}

func newResumeCommand(s *streams) *cobra.Command {
	return suspension(s, &cobra.Command{
		Use:         "resume APP [-o text|json]",
		Short:       "End what ehc suspend began",
		Long:        `End what ehc suspend began: the next pass does for the app what is to do.`,
		Example:     "  ehc resume phoenix",
		Annotations: after(plainCodes, "  ehc plan, to see what is to do for it"),
	}, "not suspended", (*api.Client).Resume)
}

// suspension makes c the command that asks for one of the two; word is how the app
// is after it.
func suspension(s *streams, c *cobra.Command, word string, ask func(*api.Client, context.Context, api.SuspendRequest) (api.Suspensions, error)) *cobra.Command {
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
		_, err = io.WriteString(s.out, suspensionText(args[0], word, got))
		return err
	}
	return c
}

func suspensionText(app, word string, got api.Suspensions) string {
	now := "now"
	if !got.Changed {
		now = "already"
	}
	text := fmt.Sprintf("%s is %s %s.\n", printable(app), now, word)
	var names []string
	for _, x := range got.Suspended {
		names = append(names, printable(x.App))
	}
	if len(names) > 0 {
		text += "Suspended: " + strings.Join(names, ", ") + "\n"
	}
	return text
}
