package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ehc/state"
	"ehc/state/spec"
)

// defaultConfig is the file that a command means when it is given none.
const defaultConfig = "cluster.hcl"

func newValidateCommand(s *streams) *cobra.Command {
	config := ""
	c := &cobra.Command{
		Use:   "validate [-config FILE | FILE]",
		Short: "Say whether a cluster.hcl is sound",
		Long: `Read a cluster.hcl, with this environment, and say what is wrong with it: the file,
the line, and how to put it right. No controller is asked and nothing is looked up.`,
		Example:     "  ehc validate\n  ehc validate -config fly/cluster.hcl",
		Annotations: after("  0   the file is sound\n  1   it is not, as told on standard error", "  ehc plan -config cluster.hcl"),
		Args:        atMostOne,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := fileOf(c, config, args)
			if err != nil {
				return err
			}
			if _, err := parseFile(s, path); err != nil {
				return err
			}
			_, err = fmt.Fprintf(s.out, "%s is valid.\n", printable(path))
			return err
		},
	}
	c.Flags().StringVar(&config, "config", "", "the `FILE` to read (default cluster.hcl)")
	return c
}

// fileOf is the file that -config or the one argument names.
func fileOf(c *cobra.Command, config string, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return orElse(config, defaultConfig), nil
	case config != "":
		return "", usage(c, errors.New("give the file once"))
	}
	return args[0], nil
}

// parseFile reads the file at path with this environment. What there is to say
// of it goes to err; if it has errors, so does the exit code.
func parseFile(s *streams, path string) (state.Spec, error) {
	src, err := readFile(path, maxConfigBytes)
	if err != nil {
		return state.Spec{}, err
	}
	env := spec.Env{Lookup: s.env, ReadFile: spec.System().ReadFile}
	parsed, diags := spec.Parse(path, src, env)
	if err := diags.Write(s.err, s.colorErr); err != nil {
		return state.Spec{}, err
	}
	if diags.HasErrors() {
		return state.Spec{}, exitCode(codeError)
	}
	return parsed, nil
}
