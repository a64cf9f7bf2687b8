package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ehc/controller/doctor"
)

// troubleshooting is the page that goes with the binary.
//
//go:embed pages/troubleshooting.md
var troubleshooting string

func newExplainCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [REASON]",
		Short: "Say what a reason word means and what to do",
		Long: `Say what one of the reason words means that status, plan, get and events give,
and what to do about it. Without a word all of them are listed.`,
		Example:     "  ehc explain CookieRejected\n  ehc explain",
		Annotations: after(plainCodes, "  ehc doctor, which looks for most causes by itself"),
		Args:        atMostOne,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return explainedWords(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			text := ""
			if len(args) == 0 {
				for _, e := range explained() {
					text += fmt.Sprintf("  %-19s %s\n", e.word, firstSentence(e.text))
				}
			} else {
				e, err := explain(args[0])
				if err != nil {
					return usage(c, err)
				}
				text = e.word + "\n\n" + e.text + "\n"
			}
			_, err := io.WriteString(s.out, text)
			return err
		},
	}
}

// explanation is what the troubleshooting page says of one reason word.
type explanation struct{ word, text string }

// explained are the entries of the troubleshooting page, in its order: what
// stands between a heading of the third level and the next heading.
func explained() []explanation {
	var all []explanation
	open := false
	for line := range strings.Lines(troubleshooting) {
		word, heads := strings.CutPrefix(line, "### ")
		switch {
		case heads:
			all = append(all, explanation{word: strings.TrimSpace(word)})
			open = true
		case strings.HasPrefix(line, "#"):
			open = false
		case open:
			all[len(all)-1].text += line
		}
	}
	for i := range all {
		all[i].text = strings.TrimSpace(all[i].text)
	}
	return all
}

func explainedWords() []string {
	var words []string
	for _, e := range explained() {
		words = append(words, e.word)
	}
	return words
}

// explain finds a word, in whatever case it is written.
func explain(word string) (explanation, error) {
	for _, e := range explained() {
		if strings.EqualFold(e.word, word) {
			return e, nil
		}
	}
	for _, e := range otherWords() {
		if strings.EqualFold(e.word, word) {
			return e, nil
		}
	}
	if word == "" {
		return explanation{}, errors.New("REASON is empty: ehc explain lists the words that there are")
	}
	return explanation{}, fmt.Errorf("no reason is called %q: ehc explain lists those that there are", word)
}

// otherWords are those that a command gives which is not about reasons, so that one
// may ask for them, too: what doctor checks, and what drift tells.
func otherWords() []explanation {
	var all []explanation
	for _, c := range doctor.Checks() {
		all = append(all, explanation{c.Word, "A check of ehc doctor: " + c.Means + ". Where it fails, the fix stands below it."})
	}
	for _, w := range driftWords() {
		all = append(all, explanation{w[0], "What ehc drift tells: " + w[1] + "."})
	}
	return all
}

// firstSentence is the first sentence of a text, on one line.
func firstSentence(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if i := strings.Index(line, ". "); i >= 0 {
		return line[:i+1]
	}
	return line
}
