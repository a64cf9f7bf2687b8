package spec

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// finding is a diagnostic before its secrets are taken out, which is last: a
// later block may be what shows that a value is a cookie.
type finding struct {
	severity        Severity
	summary, detail string
	at              hcl.Range // zero: the whole file
	// foreign marks the library's words, which may quote any value.
	foreign bool
}

func (p *parser) errorAt(at hcl.Range, summary, detail string) {
	p.found = append(p.found, finding{severity: Error, summary: summary, detail: detail, at: at})
}

func (p *parser) warnAt(at hcl.Range, summary, detail string) {
	p.found = append(p.found, finding{severity: Warning, summary: summary, detail: detail, at: at})
}

// foreign takes in diagnostics of the library. An error of a function of ours
// keeps our words.
func (p *parser) foreign(diags hcl.Diagnostics) {
	for _, d := range diags {
		f := finding{severity: Error, summary: lowerFirst(d.Summary), detail: d.Detail, foreign: true}
		if own, quotes := unquoted[f.summary]; quotes {
			f.detail = own
		}
		if d.Severity == hcl.DiagWarning {
			f.severity = Warning
		}
		if d.Subject != nil {
			f.at = *d.Subject
		}
		var ours *callError
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && errors.As(call.FunctionCallError(), &ours) {
			f.summary, f.detail, f.foreign = ours.summary, ours.hint, false
			if d.Context != nil {
				f.at = *d.Context
			}
		}
		p.found = append(p.found, f)
	}
}

// unquoted has our own words for diagnostics of the library that quote what an
// expression made, which may be a part of a secret.
var unquoted = map[string]string{
	"duplicate object key":                  "Two items of a 'for' expression make the same key.",
	"inconsistent conditional result types": "Both results of a conditional must have the same type.",
}

// syntax takes in what the library says of text that does not parse, and
// leaves out what only follows from something that is said already.
func (p *parser) syntax(diags hcl.Diagnostics) {
	const runaway = "Invalid multi-line string" // every later line of a text that is not closed
	seen := map[int]bool{}
	ranAway := false
	for _, d := range diags {
		if d.Subject == nil || seen[d.Subject.Start.Byte] || ranAway && d.Summary == runaway {
			continue
		}
		seen[d.Subject.Start.Byte] = true
		ranAway = ranAway || d.Summary == runaway
		p.foreign(hcl.Diagnostics{d})
	}
}

// diagnostics returns all that was found, without the secrets, ordered.
func (p *parser) diagnostics() Diagnostics {
	sort.SliceStable(p.found, func(i, j int) bool {
		return p.found[i].at.Start.Byte < p.found[j].at.Start.Byte
	})
	p.found = worthReading(p.found)
	if len(p.found) == 0 {
		return nil
	}
	hidden := p.hiddenSpans()
	diags := make(Diagnostics, 0, len(p.found))
	for _, f := range p.found {
		d := Diagnostic{Severity: f.severity, File: p.file}
		d.Summary = p.secret.scrub(f.summary, p.inputs, f.foreign)
		d.Detail = p.secret.scrub(f.detail, p.inputs, f.foreign)
		if f.at.Start.Line > 0 {
			d.Line, d.Column, d.EndColumn = f.at.Start.Line, f.at.Start.Column, f.at.End.Column
			start, end := lineAround(p.src, f.at.Start.Byte)
			d.Source = p.secret.scrubLine(starred(p.src, start, end, hidden))
			if f.at.End.Line > f.at.Start.Line {
				d.EndColumn = d.Column + len([]rune(string(p.src[min(f.at.Start.Byte, end):end])))
			}
			d.EndColumn = max(d.EndColumn, d.Column+1)
		}
		diags = append(diags, d)
	}
	return diags
}

// hiddenSpans finds the parts of the source that may hold a cookie. A quote too
// many in a text turns all texts behind it inside out, so what does not parse
// is looked at line by line as well.
func (p *parser) hiddenSpans() []bytesSpan {
	hidden := p.secret.spans(p.tokens)
	if p.broken {
		hidden = append(hidden, p.secret.spans(tokensByLine(p.src))...)
		hidden = append(hidden, behindSecrets(p.src)...)
	}
	return hidden
}

// worthReading drops what is beyond the limit, warnings first.
func worthReading(found []finding) []finding {
	if len(found) <= maxReports {
		return found
	}
	var kept []finding
	for _, f := range found {
		if f.severity == Error && len(kept) < maxReports-1 {
			kept = append(kept, f)
		}
	}
	last := found[len(found)-1]
	last.severity, last.foreign = Warning, false
	if len(kept) > 0 {
		last.severity = Error
	}
	last.summary, last.detail = fmt.Sprintf("%d more diagnostics are not shown", len(found)-len(kept)), ""
	return append(kept, last)
}

// lineAround returns where the line with byte at begins and ends.
func lineAround(src []byte, at int) (start, end int) {
	at = min(at, len(src))
	start = bytes.LastIndexByte(src[:at], '\n') + 1
	end = len(src)
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		end = at + i
	}
	return start, max(start, end-len(src[start:end])+len(bytes.TrimRight(src[start:end], "\r")))
}

// lowerFirst fits a foreign summary to ours: no capital, no full stop.
func lowerFirst(s string) string {
	if len(s) > 1 && unicode.IsLower(rune(s[1])) {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	return strings.TrimSuffix(s, ".")
}

func trimNewlines(s string) string { return strings.TrimRight(s, "\r\n") }
