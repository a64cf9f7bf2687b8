package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag that takes one of a few words.
type choice struct {
	word string
	of   []string
}

// String is the word, Set takes one, Type is what the help calls it: a choice is
// a pflag.Value.
func (c *choice) String() string { return c.word }

// Set takes a word that is among those allowed.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.of, word) {
		return fmt.Errorf("want %s", anyOf(c.of))
	}
	c.word = word
	return nil
}

// Type names the words.
func (c *choice) Type() string { return strings.Join(c.of, "|") }

// outputFlag gives c the flag -o with these formats; the first is the default.
func outputFlag(c *cobra.Command, formats ...string) *choice {
	o := &choice{word: formats[0], of: formats}
	c.Flags().VarP(o, "output", "o", "how to show it")
	return o
}

// The formats of -o.
const (
	asText = "text"
	asJSON = "json"
	asWide = "wide"
)

// flagLines is the help of flags, one line each, in the form in which the
// manual writes them: one dash.
func flagLines(flags *pflag.FlagSet) []string {
	type entry struct{ left, right string }
	var entries []entry
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		left := "-" + f.Name
		if f.Shorthand != "" {
			left = "-" + f.Shorthand
		}
		if kind != "" {
			left += " " + kind
		}
		if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
			usage += fmt.Sprintf(" (default %s)", defaultOf(f))
		}
		width = max(width, len(left))
		entries = append(entries, entry{left, usage})
	})
	var lines []string
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("  %-*s   %s", width, e.left, e.right))
	}
	return lines
}

// defaultOf is a flag's default as people write it: 1m, not 1m0s.
func defaultOf(f *pflag.Flag) string {
	if f.Value.Type() == "duration" && strings.HasSuffix(f.DefValue, "m0s") {
		return strings.TrimSuffix(f.DefValue, "0s")
	}
	return f.DefValue
}
