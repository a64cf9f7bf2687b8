package spec

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// The colours of a terminal.
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	faint  = "\x1b[2m"
)

// Write writes the diagnostics for people, a blank line between two:
//
//	cluster.hcl:9:3: error: unknown option "qurey" in peer "billing"
//	    9 |   qurey = ["billing.internal"]
//	      |   ^^^^^
//	    Did you mean "query"?
//
// Nothing of the source reaches a terminal as a control sequence. The error is
// w's.
func (d Diagnostics) Write(w io.Writer, color bool) error {
	var b strings.Builder
	for i, one := range d {
		if i > 0 {
			b.WriteByte('\n')
		}
		one.write(&b, paint(color))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paint says whether to colour.
type paint bool

func (p paint) in(colour, text string) string {
	if !p || text == "" {
		return text
	}
	return colour + text + plain
}

func (d Diagnostic) write(b *strings.Builder, p paint) {
	colour := red
	if d.Severity == Warning {
		colour = yellow
	}
	fmt.Fprintf(b, "%s %s %s\n", p.in(bold, d.place()+":"), p.in(colour, string(d.Severity)+":"), printable(d.Summary))
	if d.Line > 0 {
		source, column, end := d.window()
		under := blank(source, column-1) + p.in(colour, strings.Repeat("^", end-column))
		fmt.Fprintf(b, "%s %s\n%s %s\n", p.in(faint, fmt.Sprintf("%5d |", d.Line)), source, p.in(faint, "      |"), under)
	}
	for line := range strings.Lines(d.Detail) {
		line = printable(strings.TrimSuffix(line, "\n"))
		b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
}

// maxShown is how much of a long line is shown.
const maxShown = 160

// window returns the part of the line to show, and the columns in it. There is
// always one column to mark.
func (d Diagnostic) window() (source string, column, end int) {
	runes := []rune(printable(d.Source))
	column = min(max(d.Column, 1), len(runes)+1)
	from := 0
	if len(runes) > maxShown {
		from = min(max(column-maxShown/4, 0), len(runes)-maxShown)
		runes = runes[from : from+maxShown]
	}
	column -= from
	end = min(max(d.EndColumn-from, column+1), max(len(runes)+1, column+1))
	return string(runes), column, end
}

// blank returns what is as wide as the first n characters of a line.
func blank(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if n <= 0 {
			break
		}
		n--
		if r == '\t' {
			b.WriteRune(r)
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// printable replaces what a terminal might obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
