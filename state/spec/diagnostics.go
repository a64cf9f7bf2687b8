package spec

import (
	"fmt"
	"strings"
)

// Severity says whether a diagnostic stops the file from being used.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // there is no Spec
	Warning Severity = "warning" // there is one, which may not be what was meant
)

// Diagnostic is one thing to say about one place of a file. It holds no
// secret: what it quotes of the source has stars in place of cookies.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`          // what is wrong, in one line
	Detail   string   `json:"detail,omitempty"` // how to put it right, in full sentences; may have several lines
	File     string   `json:"file"`
	// Line and the columns count from 1, columns in characters as people see
	// them; EndColumn is the first after the place. All are 0 if the whole
	// file is meant. A place of several lines ends with its first.
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Source    string `json:"source,omitempty"` // the line
}

// Diagnostics is what Parse has to say, ordered by place.
type Diagnostics []Diagnostic

// HasErrors says whether one of them is an error.
func (d Diagnostics) HasErrors() bool {
	for _, one := range d {
		if one.Severity == Error {
			return true
		}
	}
	return false
}

// Error is the first error in one line, with the number of further ones. It is
// empty if there is none. Diagnostics is an error value only where HasErrors
// has been asked: see [Diagnostics.Err].
func (d Diagnostics) Error() string {
	text, more := "", 0
	for _, one := range d {
		switch {
		case one.Severity != Error:
		case text == "":
			text = one.place() + ": " + printable(one.Summary)
		default:
			more++
		}
	}
	if more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Err returns d as an error, or nil if it has no errors.
func (d Diagnostics) Err() error {
	if !d.HasErrors() {
		return nil
	}
	return d
}

// Text is what Write writes without colour.
func (d Diagnostics) Text() string {
	var b strings.Builder
	_ = d.Write(&b, false) // a Builder takes everything
	return b.String()
}

// place is file, line and column in the form that editors jump to.
func (d Diagnostic) place() string {
	if d.Line == 0 {
		return printable(d.File)
	}
	return fmt.Sprintf("%s:%d:%d", printable(d.File), d.Line, d.Column)
}
