package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newOutboxPeekCommand(s *streams) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "peek ID [-app APP]",
		Short: "Show one event, waiting or dead, in full",
		Long: `Show one event that waits, or that is a dead letter, with its payload and why it was
not delivered: as JSON, once for each app that has it.`,
		Example:     "  ehc outbox peek 01JD2Z8Q0V6M8K2W3XA4B5C6D7",
		Annotations: after(plainCodes, "  ehc outbox retry ID, or ehc outbox drop ID"),
		Args:        exactlyOne("name the id of one event"),
		RunE: func(c *cobra.Command, args []string) error {
			box, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Outbox, error) {
				return client.Outbox(ctx, api.OutboxQuery{App: app, ID: args[0]})
			})
			if err != nil {
				return err
			}
			if len(box.Events) == 0 {
				return fmt.Errorf("no event %s waits or is dead: it was delivered, or dropped, or never emitted", args[0])
			}
			for _, e := range box.Events {
				if err := writeJSON(s.out, e); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&app, "app", "", "only the event of this `APP`")
	return c
}

func newOutboxExportCommand(s *streams) *cobra.Command {
	var q api.OutboxQuery
	c := &cobra.Command{
		Use:   "export [-app APP] [-dead]",
		Short: "Write events to standard output, one JSON object a line",
		Long: `Write what waits, or the dead letters, to standard output: one JSON object a line,
in the order of the queue, as ehc outbox import reads it. Nothing leaves the outbox.
What is delivered while it runs may be written or left out.`,
		Example: `  ehc outbox export > events.ndjson
  ehc outbox export -app phoenix -dead > dead.ndjson`,
		Annotations: after(plainCodes, "  ehc outbox import FILE"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := controllerOf(c, s)
			if err != nil {
				return err
			}
			defer client.Close()
			out := bufio.NewWriter(s.out)
			lines := newEncoder(out)
			return errors.Join(export(c.Context(), client, q, lines), out.Flush())
		},
	}
	c.Flags().StringVar(&q.App, "app", "", "only events for this `APP`")
	c.Flags().BoolVar(&q.Dead, "dead", false, "the dead letters")
	return c
}

// export writes page after page of every app. One that is damaged is written up
// to the damage, and is an error in the end.
func export(ctx context.Context, client *api.Client, q api.OutboxQuery, out *json.Encoder) error {
	read := func(q api.OutboxQuery) (api.Outbox, error) {
		return limited(ctx, func(ctx context.Context) (api.Outbox, error) { return client.Outbox(ctx, q) })
	}
	first, err := read(api.OutboxQuery{App: q.App, Limit: 1})
	if err != nil {
		return err
	}
	var damaged []error
	for _, a := range first.Apps {
		if q.App != "" && a.App != q.App {
			continue
		}
		if a.Reason == "Damaged" && !q.Dead {
			damaged = append(damaged, fmt.Errorf("written up to the damage: %s", a.Message))
		}
		for page := (api.OutboxQuery{App: a.App, Dead: q.Dead}); ; {
			box, err := read(page)
			if err != nil {
				return err
			}
			if len(box.Events) == 0 {
				break
			}
			for _, e := range box.Events {
				if err := out.Encode(e); err != nil {
					return err
				}
			}
			page.After = box.Events[len(box.Events)-1].Seq
		}
	}
	return errors.Join(damaged...)
}

// limitOfImport bounds one request of an import.
const limitOfImport = 30 * time.Second

func newOutboxImportCommand(s *streams) *cobra.Command {
	e := &emitCommand{streams: s, wait: choice{word: api.WaitDurable}}
	c := &cobra.Command{
		Use:   "import FILE | -",
		Short: "Put exported events into the queue",
		Long: `Put events that ehc outbox export has written at the end of their apps' queues, dead
letters too, with their ids and times: an event whose id is known already counts
once, so an import can be repeated. The ids are printed in order.`,
		Example: `  ehc outbox import events.ndjson
  ehc outbox export -api unix:/old/ehc.sock | ehc outbox import -`,
		Annotations: after(plainCodes, "  ehc outbox list"),
		Args:        exactlyOne("name one file, or - for standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := controllerOf(c, s)
			if err != nil {
				return err
			}
			defer client.Close()
			from := s.in
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }() // only read
				from = f
			}
			return e.emitLines(c.Context(), client, from, exportedEvent)
		},
	}
	c.Flags().StringVar(&e.app, "app", "", "put all of them into the queue of this `APP`")
	c.Flags().DurationVar(&e.timeout, "timeout", limitOfImport, "wait at most `TIME` for every few hundred events")
	return c
}
