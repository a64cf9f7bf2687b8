package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newBroadcastCommand(s *streams) *cobra.Command {
	var r api.BroadcastRequest
	var output *choice
	c := &cobra.Command{
		Use:   "broadcast TOPIC MESSAGE [-event NAME] [-server SERVER] [-app APP] [-o text|json]",
		Short: "Broadcast a message on Phoenix.PubSub",
		Long: `Broadcast a message to those who have subscribed to a topic of Phoenix.PubSub: once
to each connected node of every app, and to those who watch the topic here. Who is
not connected gets nothing, now or later.

MESSAGE is JSON, or text as it stands: see ehc call for what stands for atoms and
tuples. -event makes it a %Phoenix.Socket.Broadcast{}, as Endpoint.broadcast/3 sends
it: channels and LiveViews take it as that event of the topic.`,
		Example: `  ehc broadcast metrics:visits '{"$tuple":[{"$atom":"refresh"},"/blog"]}'
  ehc broadcast room:lobby '{"body":"hello"}' -event new_msg
  ehc broadcast room:lobby hello -server Chat.PubSub -app phoenix`,
		Annotations: after(`  0   it is on its way to every connected node, or there was none
  1   an error, or it could not be sent to some`,
			"  ehc watch TOPIC, to see what is broadcast"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == "" {
				return usage(c, errors.New("name the topic and the message: TOPIC MESSAGE"))
			}
			message, err := jsonArg(args[1])
			if err != nil {
				return usage(c, fmt.Errorf("MESSAGE: %w", err))
			}
			r.Topic, r.Message = args[0], message
			done, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Broadcasted, error) {
				return client.Broadcast(ctx, r)
			})
			if err != nil {
				return err
			}
			if err := sayBroadcast(s, done, output.word == asJSON); err != nil {
				return err
			}
			if len(done.Failed) > 0 {
				return fmt.Errorf("not sent to %s", strings.Join(done.Failed, "; "))
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&r.Event, "event", "", "as the event of this `NAME`")
	f.StringVar(&r.Server, "server", "", "on this `SERVER`, such as MyApp.PubSub; else the first of cluster.hcl by name")
	f.StringVar(&r.App, "app", "", "only to the nodes of this `APP`")
	output = outputFlag(c, asText, asJSON)
	return c
}

func sayBroadcast(s *streams, done api.Broadcasted, asObject bool) error {
	if asObject {
		return writeJSON(s.out, done)
	}
	_, err := fmt.Fprintf(s.out, "Broadcast on %s to %s.\n", printable(done.Server), nodeCount(done.Nodes))
	return err
}
