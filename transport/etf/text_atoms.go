package etf

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reserved are the words of Erlang that are atoms only in quotes. "maybe" and
// "else" are words from OTP 25 on if the feature is enabled, and always in 27.
var reserved = map[Atom]bool{
	"after": true, "and": true, "andalso": true, "band": true, "begin": true, "bnot": true,
	"bor": true, "bsl": true, "bsr": true, "bxor": true, "case": true, "catch": true,
	"cond": true, "div": true, "else": true, "end": true, "fun": true, "if": true,
	"let": true, "maybe": true, "not": true, "of": true, "or": true, "orelse": true,
	"receive": true, "rem": true, "try": true, "when": true, "xor": true,
}

func (w *text) atom(a Atom) {
	if bare(a) {
		w.put(string(a))
		return
	}
	w.put("'")
	w.quoted(string(a), '\'')
	w.put("'")
}

// bare says whether an atom needs no quotes.
func bare(a Atom) bool {
	if a == "" || a[0] < 'a' || a[0] > 'z' || reserved[a] {
		return false
	}
	for i := range len(a) {
		switch c := a[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '@':
		default:
			return false
		}
	}
	return true
}

// quoted writes s as it stands between quotes.
func (w *text) quoted(s string, quote rune) {
	for _, r := range s {
		if w.full() {
			return
		}
		switch {
		case r == quote || r == '\\':
			w.put(`\` + string(r))
		case r == '\n':
			w.put(`\n`)
		case r == '\r':
			w.put(`\r`)
		case r == '\t':
			w.put(`\t`)
		case r == utf8.RuneError || !unicode.IsPrint(r):
			w.put(`\x{` + strconv.FormatInt(int64(r), 16) + `}`)
		default:
			w.put(string(r))
		}
	}
}

// floatText returns the shortest text that Erlang reads as f: unlike Go it
// wants digits on both sides of a point.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if strings.ContainsAny(s, ".IN") {
		return s
	}
	if at := strings.IndexByte(s, 'e'); at >= 0 {
		return s[:at] + ".0" + s[at:]
	}
	return s + ".0"
}
