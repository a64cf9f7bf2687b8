package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// newOutboxRetryCommand puts dead letters back.
func newOutboxRetryCommand(s *streams) *cobra.Command {
	var chosen api.OutboxSelection
	c := &cobra.Command{
		Use:   "retry [-app APP] ID… | -all",
		Short: "Put dead letters back into the queue",
		Long: `Put dead letters back at the end of the queue, under the same ids: first see to
what kept them from being delivered. An id that is no dead letter is an error, after
the others have been put back.`,
		Example: `  ehc outbox retry 01JD2Z8Q0V6M8K2W3XA4B5C6D7
  ehc outbox retry -app phoenix -all`,
		Annotations: after(plainCodes, "  ehc outbox list, to see them wait"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.changeLetters(c, chosen, args, "retried", (*api.Client).Retry)
		},
	}
	selectionFlags(c, &chosen)
	return c
}

// newOutboxDropCommand deletes dead letters, or what waits.
func newOutboxDropCommand(s *streams) *cobra.Command {
	var chosen api.OutboxSelection
	var through uint64
	c := &cobra.Command{
		Use:   "drop [-app APP] ID… | -all | -app APP -through SEQ",
		Short: "Delete dead letters, or events that wait, for good",
		Long: `Delete dead letters for good. An id that is no dead letter is an error, after the
others have been dropped.

With -through events that wait are dropped, undelivered: those of one app up to
that number, damaged or not. It is the way out when a queue is damaged, or when
its first event can never be answered; -through 0 drops nothing and only counts a
damaged queue anew. Export first what may be needed.`,
		Example: `  ehc outbox drop 01JD2Z8Q0V6M8K2W3XA4B5C6D7
  ehc outbox drop -all
  ehc outbox drop -app phoenix -through 418`,
		Annotations: after(plainCodes, "  ehc outbox list"),
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("through") {
				return s.changeLetters(c, chosen, args, "dropped", (*api.Client).Drop)
			}
			if chosen.App == "" || chosen.All || len(args) > 0 {
				return usage(c, errors.New("-through goes with -app, and with neither ids nor -all"))
			}
			chosen.Through = &through
			return s.changeOutbox(c, chosen, "dropped", (*api.Client).Drop)
		},
	}
	selectionFlags(c, &chosen)
	c.Flags().Uint64Var(&through, "through", 0, "drop what waits up to the event with this `SEQ`")
	return c
}

func selectionFlags(c *cobra.Command, chosen *api.OutboxSelection) {
	c.Flags().StringVar(&chosen.App, "app", "", "only those of this `APP`")
	c.Flags().BoolVar(&chosen.All, "all", false, "all dead letters")
}

type change func(*api.Client, context.Context, api.OutboxSelection) (api.OutboxChange, error)

// changeLetters does something with dead letters: those of these ids, or all.
func (s *streams) changeLetters(c *cobra.Command, chosen api.OutboxSelection, ids []string, done string, do change) error {
	if chosen.All == (len(ids) > 0) {
		return usage(c, errors.New("name the ids of dead letters, or give -all"))
	}
	chosen.IDs = ids
	return s.changeOutbox(c, chosen, done, do)
}

func (s *streams) changeOutbox(c *cobra.Command, chosen api.OutboxSelection, done string, do change) error {
	client, err := controllerOf(c, s)
	if err != nil {
		return err
	}
	defer client.Close()
	got, err := limited(c.Context(), func(ctx context.Context) (api.OutboxChange, error) {
		return do(client, ctx, chosen)
	})
	if err != nil {
		return uncertain(err)
	}
	if _, err := fmt.Fprintf(s.out, "%s %s.\n", events(got.Events), done); err != nil {
		return err
	}
	if got.Events < len(chosen.IDs) {
		return fmt.Errorf("%d of %d ids are no dead letters: ehc outbox list -dead", len(chosen.IDs)-got.Events, len(chosen.IDs))
	}
	return nil
}

func events(n int) string {
	if n == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", n)
}
