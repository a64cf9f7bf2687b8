package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newOutboxCommand(s *streams) *cobra.Command {
	c := &cobra.Command{
		Use:         "outbox COMMAND",
		Short:       "Look at the events that wait",
		Long:        "Look at the events that are on disk and wait to be delivered.",
		Example:     "  ehc outbox list",
		Annotations: after(plainCodes, "  ehc outbox list"),
		Args:        aCommand,
		RunE:        func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newOutboxListCommand(s))
	return c
}

func newOutboxListCommand(s *streams) *cobra.Command {
	var output *choice
	var app string
	var limit int
	c := &cobra.Command{
		Use:   "list [-app APP] [-limit N] [-o text|json|wide]",
		Short: "List what waits, oldest first",
		Long: `List the queues, and the events in them that are not delivered yet, oldest first,
with how often each was tried and why that failed.`,
		Example: `  ehc outbox list
  ehc outbox list -app phoenix -limit 10 -o wide
  ehc outbox list -o json`,
		Annotations: after(plainCodes, "  ehc status, to see why a queue waits"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 0 {
				return usage(c, fmt.Errorf("-limit %d: want 0 or more", limit))
			}
			client, err := controllerOf(c, s)
			if err != nil {
				return err
			}
			defer client.Close()
			box, err := limited(c.Context(), func(ctx context.Context) (api.Outbox, error) {
				return client.Outbox(ctx, app, limit)
			})
			if err != nil {
				return err
			}
			if output.word == asJSON {
				return writeJSON(s.out, box)
			}
			_, err = io.WriteString(s.out, outboxText(box, app, s.now(), output.word == asWide))
			return err
		},
	}
	c.Flags().StringVar(&app, "app", "", "only what waits for this `APP`")
	c.Flags().IntVar(&limit, "limit", 100, "at most `N` events")
	output = outputFlag(c, asText, asJSON, asWide)
	return c
}

// outboxText is an outbox as people read it: the queues, then the events.
func outboxText(box api.Outbox, app string, now time.Time, wide bool) string {
	var queues []api.OutboxApp
	waiting := 0
	for _, q := range box.Apps {
		if app == "" || q.App == app {
			queues = append(queues, q)
			waiting += q.Pending
		}
	}
	if waiting == 0 && len(box.Events) == 0 {
		return "Nothing waits.\n"
	}
	t := table{indent: true}
	head := []string{"APP", "SEQ", "ID", "TYPE", "INSERTED", "TRIES", "ERROR"}
	if wide {
		head = append(head, "PAYLOAD")
	}
	t.add(head...)
	for _, e := range box.Events {
		row := []string{e.App, fmt.Sprint(e.Seq), e.ID, e.Type, when(e.InsertedAt, now, wide), fmt.Sprint(e.Tries), orElse(e.Error, "-")}
		if wide {
			row = append(row, string(e.Payload))
		}
		t.add(row...)
	}
	text := queueTable(queues, now, wide).text() + "\n" + t.text()
	if more := waiting - len(box.Events); more > 0 {
		text += fmt.Sprintf("\n%d more; -limit N shows more.\n", more)
	}
	return text
}
