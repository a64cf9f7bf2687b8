package main

import (
	"fmt"
	"slices"
	"strings"

	"ehc/controller/api"
)

// planView is a plan as people read it. Scripts read it too, so golden files
// hold every word.
type planView struct {
	plan    api.Plan
	config  string // the -config that the plan is of; empty: the file in force
	saved   string // where the plan was saved; empty: it was not
	offline bool
	paint   paint
}

// The marks and colours of a plan's lines, by kind.
var marks = map[string]struct{ sign, colour string }{
	"prune":   {"-", red},
	"connect": {"+", green},
	"resync":  {"~", yellow},
	"drain":   {">", cyan},
	"held":    {"=", blue},
}

// kindWidth is the width of the longest kind, connect.
const kindWidth = 7

// planLine is one line of a plan or of the progress of one:
//
//   - prune    billing-01HX@fdaa:0:1::7   no longer listed for 31s
func planLine(p paint, kind, node string, width int, reason string) string {
	m := marks[kind]
	head := p.in(m.colour, fmt.Sprintf("%s %-*s", m.sign, kindWidth, kind))
	return fmt.Sprintf("  %s  %-*s   %s\n", head, width, printable(node), printable(reason))
}

// nodeWidth is the width of the column of nodes.
func nodeWidth(plan api.Plan) int {
	width := 0
	for _, a := range plan.Actions {
		width = max(width, len([]rune(a.Node)))
	}
	for _, h := range plan.Held {
		width = max(width, len([]rune(h.Node)))
	}
	return width
}

// text is the plan without what to do next.
func (v planView) text() string {
	var b strings.Builder
	width := nodeWidth(v.plan)
	b.WriteString(v.changes())
	for _, a := range v.plan.Actions {
		b.WriteString(planLine(v.paint, a.Kind, a.Node, width, a.Reason+v.probed(a)))
	}
	for _, h := range v.plan.Held {
		b.WriteString(planLine(v.paint, "held", h.Node, width, h.Reason))
	}
	if len(v.plan.Actions)+len(v.plan.Held) > 0 {
		b.WriteByte('\n')
	}
	for _, w := range v.plan.Warnings {
		fmt.Fprintf(&b, "%s %s\n", v.paint.in(yellow, "Warning:"), printable(w))
	}
	for _, app := range v.plan.Suspended {
		fmt.Fprintf(&b, "%s nothing is done for %s until: ehc resume %s\n", v.paint.in(yellow, "Suspended:"), printable(app), quoted(app))
	}
	for _, name := range v.plan.RestartRequired {
		fmt.Fprintf(&b, "%s %s is fixed at start; it changes when the controller is started anew.\n",
			v.paint.in(yellow, "Restart required:"), printable(name))
	}
	b.WriteString(v.summary())
	return b.String()
}

// changes are the blocks that the file changes, in the file's own words.
func (v planView) changes() string {
	if len(v.plan.Changes) == 0 {
		return ""
	}
	text := v.paint.in(bold, fmt.Sprintf("In the file, against the one in force (generation %d):", v.plan.Generation)) + "\n"
	signs := map[string]struct{ sign, colour string }{"add": {"+", green}, "change": {"~", yellow}, "remove": {"-", red}}
	for _, x := range v.plan.Changes {
		line := signs[x.Op].sign + " " + printable(x.Block)
		if len(x.Settings) > 0 {
			line += ": " + printable(strings.Join(x.Settings, ", "))
		}
		if v.needsRestart(x) {
			line += " (restart required)"
		}
		text += "  " + v.paint.in(signs[x.Op].colour, line) + "\n"
	}
	return text + "\n"
}

// needsRestart says whether a change has something that is fixed at start.
func (v planView) needsRestart(x api.Change) bool {
	return slices.ContainsFunc(v.plan.RestartRequired, func(name string) bool {
		block, setting, _ := strings.Cut(name, ".")
		top, _, _ := strings.Cut(setting, ".")
		return block == x.Block && (setting == "" || len(x.Settings) == 0 || slices.ContainsFunc(x.Settings, func(s string) bool {
			return s == setting || strings.HasPrefix(s, top+".")
		}))
	})
}

// probed is how the node of an action fared, after a semicolon.
func (v planView) probed(a api.Action) string {
	for _, p := range v.plan.Probes {
		if p.Node == a.Node && a.Kind == "connect" {
			return "; " + p.Message
		}
	}
	return ""
}

func (v planView) summary() string {
	if len(v.plan.Actions) == 0 {
		return v.nothing()
	}
	count := map[string]int{}
	for _, a := range v.plan.Actions {
		count[a.Kind]++
	}
	return fmt.Sprintf("%s %d to prune, %d to connect, %d to resync, %d to drain; %d held.\n", v.paint.in(bold, "Plan:"),
		count["prune"], count["connect"], count["resync"], count["drain"], len(v.plan.Held))
}

// nothing says that no node is to be touched. The file may be another all the same.
func (v planView) nothing() string {
	head, why := "No changes.", "There is nothing to do"
	if len(v.plan.Changes) > 0 {
		head, why = "No actions.", "The file differs from the one in force, and no node is touched"
	}
	if n := len(v.plan.Held); n > 0 {
		why += fmt.Sprintf(" now; %d held", n)
	} else if v.plan.Target != "" {
		why += " for " + printable(v.plan.Target)
	}
	return v.paint.in(bold, head) + " " + why + ".\n"
}

// next says which command to run next; nothing if there is none to run.
func (v planView) next() string {
	if v.offline {
		return "Made without a controller, as if nothing were connected. To apply it, start one: ehc run -config " +
			quoted(v.config) + " -data DIR\n"
	}
	apply := "ehc apply"
	if v.config != "" {
		apply += " -config " + quoted(v.config)
	}
	if v.plan.Target != "" {
		apply += " -target " + quoted(v.plan.Target)
	}
	index := fmt.Sprintf(" -check-index %d", v.plan.Index)
	var b strings.Builder
	switch {
	case v.saved != "":
		fmt.Fprintf(&b, "Saved to %s.\nTo apply exactly this: ehc apply %s\n", printable(v.saved), quoted(v.saved))
	case len(v.plan.Actions) > 0:
		fmt.Fprintf(&b, "To apply exactly this: %s%s\n", apply, index)
	case v.config != "" && len(v.plan.Changes) > 0:
		fmt.Fprintf(&b, "To put this file in force: %s%s\n", apply, index)
	}
	if n := guarded(v.plan); n > 0 {
		fmt.Fprintf(&b, "To prune what a guard holds (%d) as well: %s -prune-held%s\n", n, apply, index)
	}
	return b.String()
}

// guarded is how many of the held nodes an approved apply would prune.
func guarded(p api.Plan) int {
	n := 0
	for _, h := range p.Held {
		if h.Prune {
			n++
		}
	}
	return n
}

// quoted is a file name as a shell takes it.
func quoted(name string) string {
	name = printable(name)
	if name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
