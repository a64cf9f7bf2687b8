package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// watchFor is how long one question waits for something new.
const watchFor = 30 * time.Second

type eventsCommand struct {
	streams *streams
	query   api.HistoryQuery
	follow  bool
	output  *choice
}

func newEventsCommand(s *streams) *cobra.Command {
	e := &eventsCommand{streams: s}
	c := &cobra.Command{
		Use:   "events [-f] [-app APP] [-node NODE] [-limit N] [-o text|json]",
		Short: "Say what happened to the cluster",
		Long: `Say what happened, oldest first: nodes that came and went and why, lookups that
failed, queues, what people applied, suspended or approved. The controller keeps the
last of it in memory. What happens again and again is one line, with a count.

With -f it goes on as things happen, over restarts of the controller, until it is
interrupted. -o json gives one object for all; with -f one for each event, on a line
of its own.`,
		Example: `  ehc events
  ehc events -f -app phoenix
  ehc events -node phoenix-01J@fdaa:0:1::9 -o json`,
		Annotations: after(`  0   done; with -f: interrupted
  1   an error, told on standard error`, "  ehc explain REASON, to see what may help"),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c) },
	}
	f := c.Flags()
	f.BoolVarP(&e.follow, "follow", "f", false, "go on as things happen")
	f.StringVar(&e.query.App, "app", "", "only of this `APP`")
	f.StringVar(&e.query.Node, "node", "", "only of this `NODE`")
	f.IntVar(&e.query.Limit, "limit", 100, "the last `N` events")
	e.output = outputFlag(c, asText, asJSON)
	return c
}

func (e *eventsCommand) run(c *cobra.Command) error {
	if e.query.Limit < 1 {
		return usage(c, fmt.Errorf("-limit %d: want 1 or more", e.query.Limit))
	}
	client, err := controllerOf(c, e.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	if e.follow {
		return endOfWatch(c.Context(), client.FollowHistory(c.Context(), e.query, e.show))
	}
	h, err := limited(c.Context(), func(ctx context.Context) (api.History, error) { return client.History(ctx, e.query) })
	switch {
	case err != nil:
		return err
	case e.output.word == asJSON:
		return writeJSON(e.streams.out, h)
	case len(h.Entries) == 0:
		_, err = io.WriteString(e.streams.out, "Nothing has happened that the controller remembers.\n")
		return err
	}
	return e.show(h)
}

// endOfWatch is nil if a person has ended it, and err else.
func endOfWatch(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (e *eventsCommand) show(h api.History) error {
	if h.Missed {
		e.streams.complain("ehc: some events came too fast and are forgotten\n")
	}
	for _, x := range h.Entries {
		var err error
		if e.output.word == asJSON {
			err = newEncoder(e.streams.out).Encode(x)
		} else {
			_, err = io.WriteString(e.streams.out, happening(x, paint(e.streams.color)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// happening is one event on a line.
func happening(x api.HistoryEntry, p paint) string {
	kind := fmt.Sprintf("%-15s", x.Kind)
	if x.Warning {
		kind = p.in(yellow, kind)
	}
	text := x.At.UTC().Format(time.DateTime) + "  " + kind + " "
	if x.App != "" {
		text += printable(x.App) + " "
	}
	if x.Node != "" {
		text += printable(x.Node) + " "
	}
	if x.Reason != "" {
		text += printable(x.Reason) + " "
	}
	text += printable(x.Message)
	if x.Count > 1 {
		text += fmt.Sprintf(" (%d times since %s)", x.Count, x.FirstAt.UTC().Format(time.DateTime))
	}
	return text + "\n"
}
