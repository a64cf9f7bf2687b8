package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// table is rows of cells in aligned columns. Cells are shown without anything
// that a terminal might obey.
type table struct {
	indent bool
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

const (
	columnGap = 3
	leastName = 12 // columns of a name that is cut
	leastLast = 16 // of what stands last, where there is room for that
)

// squeezed is t with the cells of these columns cut inside, the widest first, so that the
// others and the beginning of the last one are seen on a screen of this width.
func (t table) squeezed(width int, names ...int) table {
	widths, total := map[int]int{}, leastLast
	for i := range len(t.rows[0]) - 1 {
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(row[i])))
		}
		total += widths[i] + columnGap
	}
	for ; total > width; total-- {
		widest := slices.MaxFunc(names, func(a, b int) int { return widths[a] - widths[b] })
		if widths[widest] <= leastName {
			break
		}
		widths[widest]--
	}
	out := table{indent: t.indent}
	for _, row := range t.rows {
		row = slices.Clone(row)
		for _, i := range names {
			row[i] = cutInside(printable(row[i]), widths[i])
		}
		out.add(row...)
	}
	return out
}

// cutInside is a text that is no longer than most, with its beginning and its end: nodes
// differ there.
func cutInside(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	head, tail := most/2, (most-1)/2
	return string(letters[:head]) + "…" + string(letters[len(letters)-tail:])
}

// cut is a text that is no longer than most.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:max(0, most-1)]) + "…"
}

func (t table) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, columnGap, ' ', 0)
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
