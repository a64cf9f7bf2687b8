package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// watchGap is the least time between two questions of a watch.
const watchGap = 200 * time.Millisecond

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// gettable is what ehc get gets.
var gettable = []string{"nodes", "peers", "apps", "events", "outbox"}

type getCommand struct {
	streams *streams
	watch   bool
	output  *choice
}

func newGetCommand(s *streams) *cobra.Command {
	g := &getCommand{streams: s}
	c := &cobra.Command{
		Use:   "get " + strings.Join(gettable, "|") + " [NAME] [-watch] [-o text|wide|json]",
		Short: "List nodes, peers, apps, events or queues",
		Long: `List one kind of thing, with NAME only that one, or what is of an app of this name.

  nodes    every node: those that are listed, those that were, and strangers
  peers    the nodes that a query lists now: what is wanted
  apps     the peer blocks and how they stand: nodes, conditions, queue
  events   what happened, as ehc events does
  outbox   the queues

With -watch it goes on, and tells each thing anew that has changed, until it is
interrupted; with -o json it then writes one line for each change. Otherwise -o json
is one object: index, revision, and the list by its name.`,
		Example: `  ehc get nodes
  ehc get peers phoenix -o wide
  ehc get apps -watch
  ehc get outbox -o json`,
		Annotations: after(`  0   done; with -watch: interrupted
  1   an error, told on standard error; or there is no such NAME`, "  ehc explain REASON, to see what may help"),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return gettable, cobra.ShellCompDirectiveNoFileComp
			case 1:
				return s.matching(c, args[0] != "apps" && args[0] != "outbox"), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usage(c, errors.New("say what to get: "+anyOf(gettable)+", and a NAME if you like"))
			}
			return g.run(c, args[0], strings.Join(args[1:], ""))
		},
	}
	c.Flags().BoolVar(&g.watch, "watch", false, "go on, and tell what changes")
	g.output = outputFlag(c, asText, asWide, asJSON)
	return c
}

func (g *getCommand) run(c *cobra.Command, kind, name string) error {
	if kind == "events" {
		e := &eventsCommand{streams: g.streams, follow: g.watch, output: g.output, query: api.HistoryQuery{Limit: 100}}
		if strings.Contains(name, "@") {
			e.query.Node = name
		} else {
			e.query.App = name
		}
		return e.run(c)
	}
	list := listers[kind]
	if list == nil {
		return usage(c, fmt.Errorf("there is nothing called %q to get: want %s", kind, anyOf(gettable)))
	}
	client, err := controllerOf(c, g.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := limited(c.Context(), client.Status)
	if err != nil {
		return err
	}
	l := list(status, name, g.view())
	if name != "" && len(l.rows) == 0 {
		return fmt.Errorf("there are no %s called or of %q", kind, name)
	}
	if err := g.show(l, status); err != nil || !g.watch {
		return err
	}
	if status.Revision == 0 {
		return errors.New("this controller cannot be watched: it is older than this ehc")
	}
	before := l
	for {
		status, err = client.WatchStatus(c.Context(), api.Watch{Seen: api.Moment{Revision: status.Revision}, Wait: watchFor})
		if err != nil {
			return endOfWatch(c.Context(), err)
		}
		pause(c.Context(), watchGap) // of several changes at once
		l = list(status, name, g.view())
		if err := g.show(l.since(before), status); err != nil {
			return err
		}
		before = l
	}
}

func (g *getCommand) view() statusView {
	// Ages would be wrong a moment after they are shown.
	return statusView{now: g.streams.now(), wide: g.output.word == asWide || g.watch}
}

// show writes a list, whole or what has changed of it.
func (g *getCommand) show(l list, s api.Status) error {
	if g.output.word == asJSON {
		out := map[string]any{"index": s.Index, "revision": s.Revision, l.name: l.items()}
		if !g.watch {
			return writeJSON(g.streams.out, out)
		}
		if l.partial && len(l.rows)+len(l.gone) == 0 {
			return nil
		}
		if len(l.gone) > 0 {
			out["gone"] = l.gone
		}
		return newEncoder(g.streams.out).Encode(out)
	}
	text := l.text()
	if text == "" && !l.partial {
		text = "None.\n"
	}
	if l.partial && text != "" {
		text = g.streams.now().UTC().Format(time.DateTime) + "\n" + text
	}
	_, err := io.WriteString(g.streams.out, text)
	return err
}
