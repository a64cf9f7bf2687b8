package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

type emitCommand struct {
	streams *streams
	id      string
	app     string
	payload string
	wait    choice
	timeout time.Duration
}

func newEmitCommand(io *streams) *cobra.Command {
	e := &emitCommand{streams: io, wait: choice{word: api.WaitDurable, of: []string{api.WaitDurable, api.WaitConnected, api.WaitDelivered}}}
	c := &cobra.Command{
		Use:   "emit TYPE [KEY=VALUE…] [-id ID] [-app APP] [-wait durable|connected|delivered] [-payload JSON] [-timeout 30s] | emit -",
		Short: "Put an event into the outbox",
		Long: `Put an event into the outbox. Its id is printed once it is on disk: from then on it
survives a crash, and is delivered when the app can be reached.

The payload is made of KEY=VALUE. A number, true, false and null stay what they
are; every other value is a string. KEY:=JSON takes any JSON, so a string that
looks like a number is written KEY:='"5"'. Or -payload gives all of it.

With -wait delivered it waits until every app has the event. With -wait connected it
does so only if that is about to happen: where no node is connected, events have piled
up or the app refuses them, the event is left to the outbox, and standard error says so.
It also says so of an event that has become a dead letter, or that a person dropped
when it was emitted before.

With - events are read from standard input, one JSON object a line with the keys
type, payload, and if need be id and app. Their ids are printed in order.

An event with an id that was emitted before counts once, so a script which
chooses the id with -id can repeat an emit of which it does not know how it ended.`,
		Example: `  ehc emit increment_visit page_id=/blog delta=1
  ehc emit add_comment post_id=7 comment:='{"author":"ada","body":"nice"}'
  ehc emit increment_visit page_id=/blog delta=1 -wait delivered
  ehc emit - < events.ndjson`,
		Annotations: after(`  0   on disk; with -wait delivered: every app has it
  1   an error, told on standard error; with -wait delivered also: on disk (the
      id is printed) but not delivered in time, or a dead letter, or dropped`,
			"  ehc outbox list, to see what waits"),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(c, errors.New("name the type of the event, or - for events on standard input"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return e.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&e.id, "id", "", "the event's `ID`; without it a new one is made here")
	f.StringVar(&e.app, "app", "", "only to this `APP`; without it, to every app that gets events")
	f.StringVar(&e.payload, "payload", "", "the payload: a `JSON` object")
	f.Var(&e.wait, "wait", "what to wait for")
	f.DurationVar(&e.timeout, "timeout", 30*time.Second, "wait at most `TIME`; 10m is the most")
	return c
}

func (e *emitCommand) run(c *cobra.Command, args []string) error {
	if e.timeout <= 0 || e.timeout > longestWait {
		return usage(c, fmt.Errorf("-timeout %s: want more than 0 and at most %s", e.timeout, longestWait))
	}
	if c.Flags().Changed("id") && e.id == "" {
		return usage(c, errors.New("-id is empty: leave it out to have one made"))
	}
	fromInput := args[0] == "-"
	if fromInput && (len(args) > 1 || e.payload != "" || e.id != "") {
		return usage(c, errors.New("with - each line has its own type, payload and id"))
	}
	var event api.Event
	if !fromInput {
		payload, err := payloadOf(args[1:], e.payload)
		if err != nil {
			return usage(c, err)
		}
		event = api.Event{ID: e.id, Type: args[0], App: e.app, Payload: payload}
	}
	client, err := controllerOf(c, e.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	if fromInput {
		return e.emitLines(c.Context(), client, e.streams.in, newEvent)
	}
	return e.emit(c.Context(), client, []api.Event{event})
}

// longestWait is how long a controller waits at most for one request.
const longestWait = 10 * time.Minute

// answerWithin is how much longer than the controller's wait its answer may take.
const answerWithin = 5 * time.Second

// emit sends events and prints their ids.
func (e *emitCommand) emit(ctx context.Context, client *api.Client, events []api.Event) error {
	r := api.EmitRequest{Events: events, Wait: e.wait.word}
	within := e.timeout
	if r.Wait != api.WaitDurable {
		r.WaitMillis = max(e.timeout.Milliseconds(), 1)
		within += answerWithin
	}
	limit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer, err := client.Emit(limit, r)
	if err != nil {
		return uncertain(err)
	}
	for _, id := range answer.IDs {
		if _, err := fmt.Fprintln(e.streams.out, printable(id)); err != nil {
			return err
		}
	}
	gone := stranded(answer)
	switch {
	case answer.Delivered, gone == "" && r.Wait == api.WaitDurable:
		return nil
	case r.Wait == api.WaitDelivered && gone != "":
		return errors.New(gone)
	case r.Wait == api.WaitDelivered:
		return fmt.Errorf("on disk, but not delivered within %s; it will be once the app takes it: ehc outbox list", e.timeout)
	}
	_, err = fmt.Fprintln(e.streams.err, orElse(gone, "Buffered: it will be delivered once the app takes it."))
	return err
}

// stranded says of the first event that will not be delivered by itself why not, and
// how many more there are; it is empty if all will be.
func stranded(a api.Emitted) string {
	first, more := "", -1
	for i, outcome := range a.Outcomes[:min(len(a.Outcomes), len(a.IDs))] {
		if outcome != api.OutcomeDead && outcome != api.OutcomeDropped {
			continue
		}
		if more++; more > 0 {
			continue
		}
		id := a.IDs[i]
		first = printable(id) + " was emitted before, and a person dropped it: it is not delivered"
		if outcome == api.OutcomeDead {
			first = fmt.Sprintf("%s is a dead letter, and stays one until: ehc outbox retry %[2]s; to see why: ehc outbox peek %[2]s", printable(id), quoted(id))
		}
	}
	if more > 0 {
		return fmt.Sprintf("%s (and %d more)", first, more)
	}
	return first
}

// uncertain adds to an error that it leaves open whether the events are on disk.
func uncertain(err error) error {
	if answered(err) {
		return err
	}
	return fmt.Errorf("%s; whether the event is on disk is not known: ehc outbox list. An emit with -id can be repeated safely", cause(err))
}
