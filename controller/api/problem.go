package api

import (
	"fmt"
	"net/http"
)

const problemType = "application/problem+json"

// Problem is an error as RFC 9457 has it. It is what a client's error is made of
// when the controller refuses. errors.Is and errors.As see through it: see the
// reasons.
type Problem struct {
	Title       string       `json:"title"` // of the status
	Status      int          `json:"status"`
	Detail      string       `json:"detail"`           // for people
	Reason      string       `json:"reason,omitempty"` // a stable word, where one status has several
	Remote      *RemoteError `json:"remote,omitempty"` // with ReasonRemote
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}

// NewProblem is a Problem with this HTTP status.
func NewProblem(status int, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Detail }

// Diagnostic is one fault in a cluster.hcl. Text is the whole of it as a person
// reads it: file, line, the source line, the hint.
type Diagnostic struct {
	Severity string `json:"severity"` // "error" or "warning"
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Text     string `json:"text"`
}
