package main

import (
	"io"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

func newStatusCommand(s *streams) *cobra.Command {
	var output *choice
	c := &cobra.Command{
		Use:   "status [-o text|json|wide]",
		Short: "Say how things stand: nodes, apps, outbox",
		Long: `Say how things stand at the controller: which file is in force, each node and why
it is down, what holds for each app and what does not, and how much waits for it.`,
		Example: `  ehc status
  ehc status -o wide
  ehc status -o json`,
		Annotations: after(plainCodes, "  ehc plan, to see what the controller is about to do\n  ehc outbox list, to see what waits"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			status, err := answerOf(c, s, (*api.Client).Status)
			if err != nil {
				return err
			}
			if output.word == asJSON {
				return writeJSON(s.out, status)
			}
			v := statusView{status: status, now: s.now(), wide: output.word == asWide, paint: paint(s.color)}
			_, err = io.WriteString(s.out, v.text())
			return err
		},
	}
	output = outputFlag(c, asText, asJSON, asWide)
	return c
}
