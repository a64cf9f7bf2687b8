package spec

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// spans finds the parts of the source that may hold a cookie. It works on
// tokens, because what does not parse is shown too.
//
// From the name of an option that holds a secret to the end of its line, and
// of the brackets that open there, everything is hidden but brackets and commas, the names of
// functions, local.x and var.x, and what env and file are asked for.
func (s *secrets) spans(tokens hclsyntax.Tokens) []bytesSpan {
	w := walk{secrets: s, tokens: tokens, functions: functionNames(), last: -1}
	for i, t := range tokens {
		w.step(i)
		if i > w.first && i <= w.last && !w.harmless(i) {
			w.hidden = append(w.hidden, bytesSpan{t.Range.Start.Byte, t.Range.End.Byte})
		}
	}
	return w.hidden
}

// walk is one pass over the tokens.
type walk struct {
	secrets     *secrets
	tokens      hclsyntax.Tokens
	functions   []string
	depth       int    // of brackets
	block       string // the top-level block that the walk is in
	label       string
	first, last int // the secret option that the walk is in, or was in last
	hidden      []bytesSpan
}

// step notes where token i leads.
func (w *walk) step(i int) {
	switch kind := w.tokens[i].Type; {
	case opens(kind):
		w.depth++
	case closes(kind):
		w.depth--
	case i > w.last && w.isName(i):
		w.name(i)
	}
}

// name notes the name of a block, or of an option that holds a secret.
func (w *walk) name(i int) {
	name := w.text(i)
	if w.depth == 0 {
		w.block, w.label = name, w.labelAfter(i)
	}
	secret := secretName(name)
	switch w.block {
	case "locals":
		secret = secret || w.secrets.locals[name]
	case "variable":
		secret = secret || name == "default" && (secretName(w.label) || w.secrets.vars[w.label])
	}
	if secret {
		w.first, w.last = i, w.endOfOption(i)
	}
}

// isName says whether token i names a block or an option: it leads its line or
// bracket, or something is assigned to it.
func (w *walk) isName(i int) bool {
	if w.is(i, hclsyntax.TokenQuotedLit) {
		return w.is(i+1, hclsyntax.TokenCQuote) && w.assigned(i+2)
	}
	if !w.is(i, hclsyntax.TokenIdent) {
		return false
	}
	if i == 0 || w.assigned(i+1) {
		return true
	}
	switch w.tokens[i-1].Type {
	case hclsyntax.TokenNewline, hclsyntax.TokenComment, hclsyntax.TokenSemicolon,
		hclsyntax.TokenOBrace, hclsyntax.TokenCBrace, hclsyntax.TokenComma:
		return true
	}
	return false
}

func (w *walk) assigned(i int) bool {
	return w.is(i, hclsyntax.TokenEqual) || w.is(i, hclsyntax.TokenColon)
}

func (w *walk) labelAfter(i int) string {
	switch {
	case w.is(i+1, hclsyntax.TokenIdent):
		return w.text(i + 1)
	case w.is(i+1, hclsyntax.TokenOQuote) && w.is(i+2, hclsyntax.TokenQuotedLit):
		return w.text(i + 2)
	}
	return ""
}

// endOfOption returns the last token of the option that token i names.
func (w *walk) endOfOption(i int) int {
	depth := 0
	for i++; i < len(w.tokens); i++ {
		t := w.tokens[i]
		switch {
		case opens(t.Type) || t.Type == hclsyntax.TokenOHeredoc:
			depth++
		case closes(t.Type) || t.Type == hclsyntax.TokenCHeredoc:
			depth--
		}
		if depth <= 0 && endsLine(t) {
			return i
		}
	}
	return len(w.tokens)
}

func endsLine(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && strings.HasSuffix(string(t.Bytes), "\n")
}

// harmless says whether token i of a secret's option may be shown.
func (w *walk) harmless(i int) bool {
	switch kind := w.tokens[i].Type; kind {
	case hclsyntax.TokenNewline, hclsyntax.TokenComma, hclsyntax.TokenOQuote, hclsyntax.TokenCQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenCHeredoc, hclsyntax.TokenDot, hclsyntax.TokenEOF:
		return true
	case hclsyntax.TokenEqual, hclsyntax.TokenColon:
		return i <= w.first+2 // behind the option's name, which may be quoted
	case hclsyntax.TokenIdent:
		return w.refers(i)
	case hclsyntax.TokenQuotedLit:
		return w.asked(i)
	default:
		return opens(kind) || closes(kind)
	}
}

// refers says whether token i is nearly a function's name, or part of local.x
// or var.x.
func (w *walk) refers(i int) bool {
	if w.is(i+1, hclsyntax.TokenOParen) {
		return nearest(w.text(i), w.functions) != ""
	}
	if w.is(i+1, hclsyntax.TokenDot) {
		return w.text(i) == "local" || w.text(i) == "var"
	}
	return w.is(i-1, hclsyntax.TokenDot) && i >= 2 && (w.text(i-2) == "local" || w.text(i-2) == "var")
}

// asked says whether token i is the first argument of env or file.
func (w *walk) asked(i int) bool {
	return w.is(i-1, hclsyntax.TokenOQuote) && w.is(i-2, hclsyntax.TokenOParen) && w.is(i-3, hclsyntax.TokenIdent) &&
		(w.text(i-3) == "env" || w.text(i-3) == "file")
}

func opens(kind hclsyntax.TokenType) bool {
	switch kind {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
		hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return true
	}
	return false
}

func closes(kind hclsyntax.TokenType) bool {
	switch kind {
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		return true
	}
	return false
}

func (w *walk) is(i int, kind hclsyntax.TokenType) bool {
	return i >= 0 && i < len(w.tokens) && w.tokens[i].Type == kind
}

func (w *walk) text(i int) string {
	if i < 0 || i >= len(w.tokens) {
		return ""
	}
	return string(w.tokens[i].Bytes)
}
