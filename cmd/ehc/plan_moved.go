package main

import (
	"fmt"
	"slices"
	"strings"

	"ehc/controller/api"
)

// stale is the error of a plan that cannot be applied exactly any more, with what
// has moved since it was made.
func stale(was, is api.Plan) error {
	head := fmt.Sprintf("the plan was made at index %d, and the controller is at %d", was.Index, is.Index)
	if was.Index == is.Index {
		head = "the plan would be another by now, at the same index"
	}
	if !was.StartedAt.Equal(is.StartedAt) {
		head = "the controller has been started anew since the plan was made"
	}
	lines := movedSince(was, is)
	if len(lines) == 0 {
		lines = []string{"what it would do is still the same, but its facts are not"}
	}
	return fmt.Errorf("%s: plan again. Since then:\n  %s", head, strings.Join(lines, "\n  "))
}

// movedSince says in what a plan is another than it was.
func movedSince(was, is api.Plan) []string {
	var lines []string
	if was.Generation != is.Generation && was.Generation != 0 {
		lines = append(lines, fmt.Sprintf("another file was put in force: generation %d, now %d", was.Generation, is.Generation))
	}
	lines = append(lines, differ(changeWords(was), changeWords(is), "the file would now", "the file would no longer")...)
	lines = append(lines, differ(actionWords(was), actionWords(is), "now to do:", "no longer to do:")...)
	lines = append(lines, differ(holdWords(was), holdWords(is), "now held:", "no longer held:")...)
	return append(lines, differ(was.Suspended, is.Suspended, "suspended:", "resumed:")...)
}

// differ says which words have come and which have gone.
func differ(was, is []string, come, gone string) []string {
	var lines []string
	for _, w := range is {
		if !slices.Contains(was, w) {
			lines = append(lines, come+" "+printable(w))
		}
	}
	for _, w := range was {
		if !slices.Contains(is, w) {
			lines = append(lines, gone+" "+printable(w))
		}
	}
	return lines
}

func changeWords(p api.Plan) []string {
	var words []string
	for _, x := range p.Changes {
		words = append(words, strings.TrimSpace(x.Op+" "+x.Block+" "+strings.Join(x.Settings, ", ")))
	}
	return words
}

func actionWords(p api.Plan) []string {
	var words []string
	for _, a := range p.Actions {
		words = append(words, a.Kind+" "+a.Node)
	}
	return words
}

func holdWords(p api.Plan) []string {
	var words []string
	for _, h := range p.Held {
		words = append(words, h.Node+" ("+h.Reason+")")
	}
	return words
}
