package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newLogCommand(s *streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "log [LEVEL] [-format text|json] [-o text|json]",
		Short: "Say or change how the controller logs",
		Long: `Say how the controller logs, or change it at once: LEVEL is trace, debug, info,
warn or error. That lasts until a file is put in force or the controller starts
anew, for then the log block of cluster.hcl counts.`,
		Example: `  ehc log
  ehc log debug
  ehc log info -format json`,
		Annotations: after(plainCodes, "  the log block of cluster.hcl, to keep it"),
		Args:        atMostOne,
		ValidArgs:   []string{"trace", "debug", "info", "warn", "error"},
	}
	output := outputFlag(c, asText, asJSON)
	var format string
	c.Flags().StringVar(&format, "format", "", "log as `text|json` from now on")
	c.RunE = func(c *cobra.Command, args []string) error {
		want := api.Log{Format: format}
		if len(args) > 0 {
			want.Level = args[0]
		}
		got, err := answerOf(c, s, func(client *api.Client, ctx context.Context) (api.Log, error) {
			if want == (api.Log{}) {
				return client.Log(ctx)
			}
			return client.SetLog(ctx, want)
		})
		if err != nil {
			return err
		}
		if output.word == asJSON {
			return writeJSON(s.out, got)
		}
		_, err = io.WriteString(s.out, fmt.Sprintf("The controller logs %s and above, as %s.\n", got.Level, got.Format))
		return err
	}
	return c
}
