package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCommand(s *streams) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "man [-out DIR]",
		Short: "Write the man page",
		Long: `Write the man page ehc(1) to standard output; with -out, that of each command as a
file of its own into a folder, which must exist.`,
		Example: "  ehc man | man -l -\n" +
			"  ehc man -out /usr/local/share/man/man1",
		Annotations: after(plainCodes, "  ehc completion, for the shell"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if dir != "" {
				return writeManPages(c.Root(), dir)
			}
			page, err := manPage(c.Root())
			if err != nil {
				return err
			}
			_, err = s.out.Write(page)
			return err
		},
	}
	c.Flags().StringVar(&dir, "out", "", "write a page for each command into `DIR`")
	return c
}

// manPage is the page of one command.
func manPage(c *cobra.Command) ([]byte, error) {
	c.DisableAutoGenTag = true
	long := c.Long
	defer func() { c.Long = long }()
	c.Long += manSection("Exit codes", c.Annotations[exitCodes]) + manSection("Next", c.Annotations[nextStep])
	var page bytes.Buffer
	err := doc.GenMan(c, &doc.GenManHeader{Title: strings.ToUpper(manName(c)), Section: "1", Source: "ehc", Manual: "ehc"}, &page)
	if err != nil {
		return nil, fmt.Errorf("make man page of %s: %w", c.CommandPath(), err)
	}
	return page.Bytes(), nil
}

// manSection is part of a page's description: doc knows no other place for what
// our commands have beside cobra's own. Its lines stay lines, as they are indented.
func manSection(title, text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n\n%s:\n\n", title)
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func writeManPages(c *cobra.Command, dir string) error {
	if c.Name() == "help" || c.Hidden {
		return nil
	}
	page, err := manPage(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, manName(c)+".1"), page, 0o644); err != nil {
		return fmt.Errorf("write man page: %w", err)
	}
	for _, sub := range c.Commands() {
		if err := writeManPages(sub, dir); err != nil {
			return err
		}
	}
	return nil
}
