package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ehc/state/spec"
)

func newFmtCommand(s *streams) *cobra.Command {
	config, check := "", false
	c := &cobra.Command{
		Use:   "fmt [-check] [-config FILE | FILE]",
		Short: "Write a cluster.hcl in the usual form",
		Long: `Write a cluster.hcl in the usual form: indents and aligned equals signs. The name
of the file is printed if it changes. With -check nothing is written.`,
		Example: "  ehc fmt\n  ehc fmt -check",
		Annotations: after("  0   the file has the usual form (now)\n  1   an error; or with -check: it has not",
			"  ehc validate"),
		Args: atMostOne,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := fileOf(c, config, args)
			if err != nil {
				return err
			}
			return format(s, path, check)
		},
	}
	c.Flags().StringVar(&config, "config", "", "the `FILE` to write (default cluster.hcl)")
	c.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 if the form is not the usual one")
	return c
}

func format(s *streams, path string, check bool) error {
	src, err := readFile(path, maxConfigBytes)
	if err != nil {
		return err
	}
	formatted := spec.Format(src)
	if bytes.Equal(src, formatted) {
		return nil
	}
	if !check {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := replaceFile(path, formatted, info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(s.out, printable(path)); err != nil {
		return err
	}
	if check {
		return exitCode(codeError)
	}
	return nil
}
