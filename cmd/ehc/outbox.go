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
		Use:   "outbox [COMMAND]",
		Short: "Look at the events that wait, and at the dead letters",
		Long: `Look at the events that are on disk and wait to be delivered, and at the dead
letters: events that could not be delivered. Those are kept until someone retries
or drops them. Without a command it is ehc outbox list, with the same flags.`,
		Example: `  ehc outbox
  ehc outbox list -dead
  ehc outbox retry -all`,
		Annotations: after(plainCodes, "  ehc status, to see why a queue waits"),
		Args:        aCommand,
	}
	s.lists(c)
	c.AddCommand(newOutboxListCommand(s), newOutboxPeekCommand(s), newOutboxRetryCommand(s), newOutboxDropCommand(s),
		newOutboxExportCommand(s), newOutboxImportCommand(s))
	return c
}

func newOutboxListCommand(s *streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "list [-app APP] [-dead] [-limit N] [-o text|json|wide]",
		Short: "List what waits, oldest first",
		Long: `List the queues, and the events in them that are not delivered yet, oldest first,
with how often each was tried and why that failed; or the dead letters.`,
		Example: `  ehc outbox list
  ehc outbox list -dead
  ehc outbox list -app phoenix -limit 10 -o wide
  ehc outbox list -o json`,
		Annotations: after(plainCodes, "  ehc status, to see why a queue waits"),
		Args:        noArguments,
	}
	s.lists(c)
	return c
}

// lists makes c list the outbox, with flags for what of it and how.
func (s *streams) lists(c *cobra.Command) {
	var q api.OutboxQuery
	c.Flags().StringVar(&q.App, "app", "", "only events for this `APP`")
	c.Flags().BoolVar(&q.Dead, "dead", false, "the dead letters")
	c.Flags().IntVar(&q.Limit, "limit", someEvents, "at most `N` events")
	output := outputFlag(c, asText, asJSON, asWide)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if q.Limit < 0 {
			return usage(c, fmt.Errorf("-limit %d: want 0 or more", q.Limit))
		}
		return s.listOutbox(c, q, output.word)
	}
}

// someEvents is how many a list shows unless it is told otherwise.
const someEvents = 100

// listOutbox prints the queues, and the events that q asks for.
func (s *streams) listOutbox(c *cobra.Command, q api.OutboxQuery, output string) error {
	box, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Outbox, error) {
		return client.Outbox(ctx, q)
	})
	if err != nil {
		return err
	}
	if output == asJSON {
		return writeJSON(s.out, box)
	}
	_, err = io.WriteString(s.out, outboxText(box, q, s.now(), output == asWide))
	return err
}

// outboxText is an outbox as people read it: the queues, then the events.
func outboxText(box api.Outbox, q api.OutboxQuery, now time.Time, wide bool) string {
	var queues []api.OutboxApp
	waiting, dead := 0, 0
	for _, a := range box.Apps {
		if q.App == "" || a.App == q.App {
			queues = append(queues, a)
			waiting, dead = waiting+a.Pending, dead+a.Dead
		}
	}
	total, nothing := waiting, "Nothing waits.\n"
	if dead > 0 {
		nothing = fmt.Sprintf("Nothing waits; %d dead: ehc outbox list -dead\n", dead)
	}
	if q.Dead {
		total, nothing = dead, "There are no dead letters.\n"
	}
	if total == 0 && len(box.Events) == 0 {
		return nothing
	}
	text := queueTable(queues, now, wide).text() + "\n" + eventTable(box.Events, q.Dead, now, wide).text()
	if more := total - len(box.Events); more > 0 {
		text += fmt.Sprintf("\n%d more; -limit N shows more.\n", more)
	}
	return text
}

// eventTable is the table of events that wait, or of dead letters.
func eventTable(events []api.Event, dead bool, now time.Time, wide bool) table {
	t := table{indent: true}
	t.add(eventCells(dead, wide, []string{"APP", "SEQ", "ID", "TYPE", "INSERTED"}, "DIED", "TRIES", "REASON", "ERROR", "PAYLOAD")...)
	for _, e := range events {
		first := []string{e.App, fmt.Sprint(e.Seq), e.ID, e.Type, when(e.InsertedAt, now, wide)}
		t.add(eventCells(dead, wide, first, when(e.DiedAt, now, wide), fmt.Sprint(e.Tries), orElse(e.Reason, "-"),
			orElse(e.Error, "-"), string(e.Payload))...)
	}
	return t
}

// eventCells is a row: when it died and the reason only of the dead, the payload
// only in a wide table.
func eventCells(dead, wide bool, row []string, died, tries, reason, why, payload string) []string {
	if dead {
		row = append(row, died)
	}
	row = append(row, tries)
	if dead {
		row = append(row, reason)
	}
	row = append(row, why)
	if wide {
		row = append(row, payload)
	}
	return row
}
