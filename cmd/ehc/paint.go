package main

import (
	"strings"
	"unicode"
)

// The colours of a terminal.
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	blue   = "\x1b[34m"
	cyan   = "\x1b[36m"
)

// paint says whether to colour.
type paint bool

// in is text in a colour, or as it is.
func (p paint) in(colour, text string) string {
	if !p || text == "" {
		return text
	}
	return colour + text + plain
}

// printable is s on one line, without anything that a terminal might obey: node
// names, reasons and payloads come from the network.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// printableLines is printable for a text that may have several lines.
func printableLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = printable(strings.ReplaceAll(line, "\t", "  "))
	}
	return strings.Join(lines, "\n")
}
