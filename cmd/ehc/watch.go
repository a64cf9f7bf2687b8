package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

type watchCommand struct {
	streams *streams
	query   api.TopicQuery
	count   int
	output  *choice
	seen    int
}

func newWatchCommand(io *streams) *cobra.Command {
	k := &watchCommand{streams: io}
	c := &cobra.Command{
		Use:   "watch TOPIC [-server SERVER] [-after ID] [-limit N] [-o text|json]",
		Short: "Show what is broadcast on Phoenix.PubSub",
		Long: `Show what is broadcast on a topic of Phoenix.PubSub, as it comes, until you stop it.
* in TOPIC is any characters. A pubsub block of cluster.hcl has to keep the topic.

A line has the time, the node, the topic and the message as JSON; for an event of
Endpoint.broadcast/3, its name and payload. With -o json a line is an object, whose id
is what -after resumes after. Where messages were lost, because this reader or the
controller was too slow, a line says so.

When the controller restarts, watch goes on as soon as it is back; what was broadcast
in the meantime is lost: PubSub keeps nothing.`,
		Example: `  ehc watch metrics:visits:/blog
  ehc watch 'metrics:*' -o json
  ehc watch room:lobby -server Chat.PubSub -limit 1`,
		Annotations: after(`  0   done, or interrupted
  1   an error, told on standard error`, "  ehc broadcast TOPIC MESSAGE, to send one"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usage(c, errors.New("name the topic: TOPIC, one, in quotes if it has a *"))
			}
			if k.count < 0 {
				return usage(c, fmt.Errorf("-limit %d: want 0 or more", k.count))
			}
			k.query.Topic = args[0]
			return k.run(c)
		},
	}
	f := c.Flags()
	f.StringVar(&k.query.Server, "server", "", "of this `SERVER`, such as MyApp.PubSub; else the first of cluster.hcl by name")
	f.StringVar(&k.query.After, "after", "", "resume after the message with this `ID`")
	f.IntVar(&k.count, "limit", 0, "stop after `N` messages; 0: never")
	k.output = outputFlag(c, asText, asJSON)
	return c
}

// errEnough ends a watch that has shown all it should.
var errEnough = errors.New("enough")

func (k *watchCommand) run(c *cobra.Command) error {
	client, err := controllerOf(c, k.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	err = client.Watch(ctx, k.query, k.show)
	if errors.Is(err, errEnough) {
		return nil
	}
	return endOfWatch(c.Context(), err)
}

// show writes what has come.
func (k *watchCommand) show(b api.TopicBatch) error {
	if err := k.gap(b.Lost); err != nil {
		return err
	}
	for _, m := range b.Messages {
		if err := k.message(m); err != nil {
			return err
		}
		if k.seen++; k.seen == k.count {
			return errEnough
		}
	}
	return nil
}

func (k *watchCommand) gap(l api.Lost) error {
	if l == (api.Lost{}) {
		return nil
	}
	if k.output.word == asJSON {
		return k.line(map[string]api.Lost{"lost": l})
	}
	text := fmt.Sprintf("%d messages were lost here", l.Count)
	if l.Forgotten {
		text = "what came before this is forgotten"
	}
	_, err := fmt.Fprintf(k.streams.out, "--- %s\n", text)
	return err
}

func (k *watchCommand) message(m api.TopicMessage) error {
	if k.output.word == asJSON {
		return k.line(m)
	}
	event := ""
	if m.Event != "" {
		event = m.Event + " "
	}
	_, err := io.WriteString(k.streams.out, printable(fmt.Sprintf("%s %s %s %s%s",
		m.At.Local().Format("15:04:05.000"), m.Node, m.Topic, event, m.Message))+"\n")
	return err
}

// line writes an object on one line.
func (k *watchCommand) line(v any) error {
	return newEncoder(k.streams.out).Encode(v)
}
