package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// buildVersion is this binary's: the tag or commit that the Go command noted in
// it, "devel" without one.
func buildVersion() api.Version {
	v := api.Version{Version: "devel", Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	return v
}

func newVersionCommand(s *streams) *cobra.Command {
	var output *choice
	c := &cobra.Command{
		Use:         "version [-o text|json]",
		Short:       "Print the version, and the controller's",
		Long:        "Print the version of this ehc and, if one is named by -api, EHC_API or EHC_DATA, of the controller.",
		Example:     "  ehc version\n  ehc version -o json",
		Annotations: after(plainCodes, "  ehc status"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			v := versions{Version: buildVersion()}
			theirs, err := answerOf(c, s, (*api.Client).Version)
			switch {
			case err == nil:
				v.Controller = &theirs
			case c.Flags().Changed(apiFlag):
				return err
			} // else nobody asked for this one to answer
			if output.word == asJSON {
				return writeJSON(s.out, v)
			}
			_, err = fmt.Fprint(s.out, v.text())
			return err
		},
	}
	output = outputFlag(c, asText, asJSON)
	return c
}

// versions are those of this binary and of the controller that it talks to.
type versions struct {
	api.Version
	Controller *api.Version `json:"controller,omitempty"`
}

func (v versions) text() string {
	text := fmt.Sprintf("ehc %s (%s)\n", v.Version.Version, v.Go)
	if v.Controller != nil {
		text += fmt.Sprintf("controller %s (%s)\n", printable(v.Controller.Version), printable(v.Controller.Go))
	}
	return text
}
