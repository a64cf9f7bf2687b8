package spec

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// bytesSpan is a part of the source, from its first byte to before its last.
type bytesSpan struct{ start, end int }

// tokensByLine returns the tokens of each line as if no text went on from one
// to the next.
func tokensByLine(src []byte) hclsyntax.Tokens {
	var all hclsyntax.Tokens
	at := hcl.InitialPos
	for line := range bytes.Lines(src) {
		tokens, _ := hclsyntax.LexConfig(line, "", at)
		for _, t := range tokens {
			if t.Type != hclsyntax.TokenEOF {
				all = append(all, t)
			}
		}
		at.Byte, at.Line = at.Byte+len(line), at.Line+1
	}
	return all
}

var (
	secretOption = regexp.MustCompile(`(?i)[a-z_-]*(cookie|secret|password|token)[a-z_-]*["' ]*[=:]`)
	newOption    = regexp.MustCompile(`^\s*([a-z_]+\s*=|[a-z_]+(\s+"[^"]*")?\s*\{|\}\s*$)`)
	word         = regexp.MustCompile(`[^"()\[\],\s]+`)
)

// behindSecrets finds the words behind the name of a secret where the tokens
// may mean nothing: on its line, if there is a quote before it or an odd number
// of quotes, and on the next ones, up to one that begins an option or a block
// or ends one.
func behindSecrets(src []byte) []bytesSpan {
	var found []bytesSpan
	start, behind := 0, false
	for line := range bytes.Lines(src) {
		from := 0
		name := secretOption.FindIndex(line)
		switch {
		case name != nil:
			behind = true
			stray := bytes.IndexByte(line[:name[0]], '"') >= 0 || bytes.Count(line, []byte{'"'})%2 == 1
			if from = name[1]; !stray {
				from = len(line) // what the tokens say is good
			}
		case newOption.Match(line):
			behind = false
		}
		if behind {
			for _, w := range word.FindAllIndex(line[from:], -1) {
				found = append(found, bytesSpan{start + from + w[0], start + from + w[1]})
			}
		}
		start += len(line)
	}
	return found
}

// starred returns a part of the source with stars over what is hidden in it.
func starred(src []byte, start, end int, hidden []bytesSpan) string {
	var b strings.Builder
	for at, r := range string(src[start:end]) {
		if covered(start+at, hidden) && r != ' ' && r != '\t' {
			r = '*'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func covered(at int, hidden []bytesSpan) bool {
	for _, h := range hidden {
		if h.start <= at && at < h.end {
			return true
		}
	}
	return false
}
