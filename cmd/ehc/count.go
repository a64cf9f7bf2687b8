package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newCountCommand(s *streams) *cobra.Command {
	var output *choice
	var q api.CountsQuery
	c := &cobra.Command{
		Use:   "count [KEY] [-app APP] [-limit N] [-o text|json]",
		Short: "Show what has been counted",
		Long: `Show a counter. A KEY names one by what is counted and for what:

  visits:/blog      increment_visit with page_id "/blog"
  likes:hello       update_likes with post_id "hello"
  comments:hello    add_comment with post_id "hello"
  NAME:KEY          count with this name and key

An app is asked for it now, by the function that rpc.count of cluster.hcl names: the
app of -app, or the one that gets events, or the only one. Nothing is answered from
memory: without a connection it is an error.

A controller that takes events as a remote app does (the receive block) answers from
its own counters unless -app is given. Of those it also lists the ones of a name, or
all of them, ordered by key.`,
		Example: `  ehc count visits:/blog
  ehc count visits:/blog -app phoenix
  ehc count likes -limit 10
  ehc count -o json`,
		Annotations: after(plainCodes, "  ehc emit increment_visit page_id=/blog delta=1, at a controller that delivers here"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := atMostOne(c, args); err != nil {
				return err
			}
			if q.Limit < 1 {
				return usage(c, fmt.Errorf("-limit %d: want 1 or more", q.Limit))
			}
			q.Key = strings.Join(args, "")
			if q.Key == "" && len(args) > 0 {
				return usage(c, errors.New("KEY is empty: want NAME:KEY or NAME"))
			}
			counts, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Counts, error) {
				return client.Counts(ctx, q)
			})
			if err != nil {
				return err
			}
			if output.word == asJSON {
				return writeJSON(s.out, counts)
			}
			_, err = io.WriteString(s.out, countsText(counts, q.Key))
			return err
		},
	}
	c.Flags().StringVar(&q.App, "app", "", "ask this `APP`")
	c.Flags().IntVar(&q.Limit, "limit", 100, "at most `N` counters, up to 1000")
	output = outputFlag(c, asText, asJSON)
	return c
}

// countsText is a bare number for a counter that was asked for by its key, so that
// scripts can use it, and else a table.
func countsText(counts api.Counts, key string) string {
	_, of, _ := strings.Cut(key, ":")
	if (of != "" || counts.Node != "") && len(counts.Counts) == 1 {
		return fmt.Sprintln(counts.Counts[0].Count)
	}
	if len(counts.Counts) == 0 {
		return "Nothing has been counted.\n"
	}
	t := table{indent: true}
	t.add("KEY", "COUNT")
	for _, c := range counts.Counts {
		t.add(c.Key, fmt.Sprint(c.Count))
	}
	if counts.More {
		return t.text() + "\nThere are more; -limit N shows more.\n"
	}
	return t.text()
}
