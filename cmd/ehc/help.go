package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Sections that the help of a command has beside cobra's own.
const (
	exitCodes = "Exit codes"
	nextStep  = "Next"
)

// writeHelp writes all that there is to say of c: what it does, how to call it,
// examples, commands below it, flags, exit codes, and what to do next.
func writeHelp(w io.Writer, c *cobra.Command) error {
	var b strings.Builder
	about := c.Long
	if about == "" {
		about = c.Short
	}
	b.WriteString(strings.TrimSpace(about) + "\n")
	section(&b, "Usage", "  "+useLine(c))
	section(&b, "Commands", commandLines(c)...)
	section(&b, "Examples", c.Example)
	section(&b, "Flags", flagLines(c.LocalNonPersistentFlags())...)
	if c.HasParent() {
		section(&b, "Flags of every command", flagLines(c.InheritedFlags())...)
	} else {
		section(&b, "Flags of every command", flagLines(c.PersistentFlags())...)
	}
	section(&b, exitCodes, c.Annotations[exitCodes])
	section(&b, nextStep, c.Annotations[nextStep])
	_, err := io.WriteString(w, b.String())
	return err
}

// useLine is cobra's, which names flags that a Use with more than a name has
// named already.
func useLine(c *cobra.Command) string {
	if strings.Contains(c.Use, " ") {
		return strings.TrimSuffix(c.UseLine(), " [flags]")
	}
	return c.UseLine()
}

func section(b *strings.Builder, title string, lines ...string) {
	text := strings.TrimRight(strings.Join(lines, "\n"), "\n")
	if text == "" {
		return
	}
	fmt.Fprintf(b, "\n%s:\n%s\n", title, text)
}

func commandLines(c *cobra.Command) []string {
	var lines []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			lines = append(lines, fmt.Sprintf("  %-*s   %s", c.NamePadding(), sub.Name(), sub.Short))
		}
	}
	return lines
}

// after are the annotations of a command: its exit codes, and what to do next.
func after(codes, next string) map[string]string {
	return map[string]string{exitCodes: codes, nextStep: next}
}

// plainCodes are the exit codes of a command that either works or does not.
const plainCodes = `  0   done
  1   an error, told on standard error`
