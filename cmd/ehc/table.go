package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// table is rows of cells in aligned columns. Cells are shown without anything
// that a terminal might obey.
type table struct {
	indent bool
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t table) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, cells := range t.rows {
		line := make([]string, len(cells))
		for i, cell := range cells {
			line[i] = printable(cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(line, "\t")) // a Builder takes everything
	}
	_ = w.Flush()
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if t.indent {
			out.WriteString("  ")
		}
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}
