package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

type callCommand struct {
	streams *streams
	app     string
	node    string
	timeout time.Duration
	output  *choice
}

func newCallCommand(io *streams) *cobra.Command {
	k := &callCommand{streams: io}
	c := &cobra.Command{
		Use:   "call MODULE.FUNCTION [ARG…] [-app APP | -node NODE] [-timeout TIME] [-o text|json]",
		Short: "Call a function of an app",
		Long: `Call a function of an app, on one of its connected nodes, and print what it
returns: in Erlang's syntax, or with -o json as JSON. rpc.allow in cluster.hcl has to
name the function with the number of its arguments.

An ARG is JSON: 1, true, null, "text", [1,2], {"key":"value"}. What begins with
none of { [ " and is no number, true, false or null is text as it stands. Text
becomes a binary, null nil; other terms have a form:

  {"$atom":"ok"}   {"$tuple":["visit",1]}   {"$map":[[{"$atom":"page"},"/blog"]]}

The call is made once. If it gets no answer in time, or the connection is lost, it
may have run or not. Nothing is buffered.`,
		Example: `  ehc call Remote.Metrics.get_count visits:/blog
  ehc call Remote.Metrics.get_count visits:/blog -app phoenix -o json
  ehc call my_mod.add 1 2 -node billing@10.0.0.7`,
		Annotations: after(`  0   the function has returned; what, is printed
  1   an error, told on standard error: what the function raised, too`,
			"  ehc status, to see which nodes are connected"),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(c, errors.New("name the function: MODULE.FUNCTION"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return k.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&k.app, "app", "", "on a connected node of this `APP`; not needed if there is only one app")
	f.StringVar(&k.node, "node", "", "on this `NODE`")
	f.DurationVar(&k.timeout, "timeout", 0, "wait at most `TIME`, 10m at most; else rpc.timeout of cluster.hcl")
	k.output = outputFlag(c, asText, asJSON)
	return c
}

func (k *callCommand) run(c *cobra.Command, args []string) error {
	r := api.CallRequest{Function: args[0], App: k.app, Node: k.node, TimeoutMillis: k.timeout.Milliseconds()}
	switch {
	case k.timeout < 0 || k.timeout > 0 && r.TimeoutMillis == 0 || k.timeout > longestWait:
		return usage(c, fmt.Errorf("-timeout %s: want 1ms to %s", k.timeout, longestWait))
	case k.app != "" && k.node != "":
		return usage(c, errors.New("give -app or -node, not both"))
	}
	for i, text := range args[1:] {
		arg, err := jsonArg(text)
		if err != nil {
			return usage(c, fmt.Errorf("argument %d: %w", i+1, err))
		}
		r.Args = append(r.Args, arg)
	}
	client, err := controllerOf(c, k.streams)
	if err != nil {
		return err
	}
	defer client.Close()
	limit, cancel := context.WithTimeout(c.Context(), max(k.timeout+answerWithin, askLimit))
	defer cancel()
	answer, err := client.Call(limit, r)
	if err != nil {
		return raised(err)
	}
	if k.output.word == asJSON {
		return writeJSON(k.streams.out, answer)
	}
	_, err = fmt.Fprintln(k.streams.out, printableLines(answer.Text))
	return err
}

// raised adds the stack trace to what a function raised.
func raised(err error) error {
	var remote *api.RemoteError
	if !errors.As(err, &remote) || len(remote.Stack) == 0 {
		return err
	}
	return fmt.Errorf("%w\n  %s", err, strings.Join(remote.Stack, "\n  "))
}

// jsonArg is JSON as it stands, or text:
//
//	1  true  null  [1]  {"a":1}  "1"    JSON
//	visits:/blog  01                    text
//	{"a"  [1  "x                        an error: meant to be JSON
func jsonArg(text string) (json.RawMessage, error) {
	trimmed := strings.TrimSpace(text)
	meant := trimmed != "" && strings.ContainsRune(`{["`, rune(trimmed[0]))
	switch {
	case meant && !json.Valid([]byte(text)):
		return nil, fmt.Errorf("%q: not JSON", text)
	case meant, isPlain(text):
		return json.RawMessage(text), nil
	}
	return jsonString(text), nil
}
