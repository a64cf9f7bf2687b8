package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	linesType = "application/x-ndjson"
	idleLimit = time.Minute
)

// EmittedLine answers a line of events: what became of the event, or why it was not
// taken. After one with a Problem nothing follows: the lines before it are on disk,
// that line and those after it are not.
type EmittedLine struct {
	Line    int      `json:"line"` // counted from 1
	ID      string   `json:"id,omitempty"`
	Outcome string   `json:"outcome,omitempty"` // see Emitted
	Problem *Problem `json:"problem,omitempty"`
}

func isLines(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), linesType)
}

// emitLines takes events, one a line, and answers each with a line once it is on
// disk. What has come is enqueued at once rather than kept until a batch is full.
// If the very first cannot be taken, that is its error, and nothing is written.
func emitLines(w http.ResponseWriter, r *http.Request, b EventBackend, how EmitRequest) error {
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		return fmt.Errorf("read while answering: %w", err)
	}
	in := NewLineReader(patient{r.Body, control})
	w.Header().Set("Content-Type", linesType)
	answered := false
	for {
		var batch []numbered
		end := in.Batch(func(text []byte) error {
			e, err := readEvent(text, in.Line())
			if err == nil {
				batch = append(batch, numbered{in.Line(), e})
			}
			return err
		})
		if errors.Is(end, io.EOF) {
			_ = control.SetReadDeadline(time.Time{}) // it would end the context of a wait for delivery
		}
		answers, bad := emitBatch(r.Context(), b, how, batch)
		if bad == nil && end != nil && !errors.Is(end, io.EOF) {
			bad = &EmittedLine{Line: in.Line(), Problem: problemOf(end)}
		}
		if bad != nil {
			if !answered && len(answers) == 0 {
				w.Header().Del("Content-Type")
				return bad.Problem
			}
			answers = append(answers, *bad)
		}
		if writeLines(w, control, answers) != nil || bad != nil || end != nil {
			return nil // the reader has left, or has been told all there is
		}
		answered = true
	}
}

// emitBatch enqueues events, and returns what became of each and, if one was not
// taken, which and why. One that is bad keeps none of those before it back.
func emitBatch(ctx context.Context, b EventBackend, how EmitRequest, batch []numbered) (answers []EmittedLine, bad *EmittedLine) {
	if len(batch) == 0 {
		return nil, nil
	}
	answers, err := emitTogether(ctx, b, how, batch)
	if err == nil {
		return answers, nil
	}
	if len(batch) == 1 {
		return nil, &EmittedLine{Line: batch[0].line, ID: batch[0].event.ID, Problem: problemOf(err)}
	}
	for i := range batch { // of all or none it was none
		one, bad := emitBatch(ctx, b, how, batch[i:i+1])
		if bad != nil {
			return answers, bad
		}
		answers = append(answers, one...)
	}
	return answers, nil
}

func emitTogether(ctx context.Context, b EventBackend, how EmitRequest, batch []numbered) ([]EmittedLine, error) {
	limit, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for _, n := range batch {
		how.Events = append(how.Events, n.event)
	}
	done, err := b.Emit(limit, how)
	if err != nil {
		return nil, err
	}
	var answers []EmittedLine
	for i, n := range batch {
		a := EmittedLine{Line: n.line, ID: done.IDs[i]}
		if i < len(done.Outcomes) {
			a.Outcome = done.Outcomes[i]
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// writeLines writes answers, and has them on their way when it returns.
func writeLines(w io.Writer, control *http.ResponseController, answers []EmittedLine) error {
	var b bytes.Buffer
	text := json.NewEncoder(&b)
	text.SetEscapeHTML(false)
	for _, a := range answers {
		if err := text.Encode(a); err != nil {
			return err
		}
	}
	if err := control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return control.Flush()
}

// numbered is an event and the line it stands on.
type numbered struct {
	line  int
	event Event
}

// readEvent reads the one event of a line.
func readEvent(text []byte, line int) (Event, error) {
	var e Event
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, NewProblem(http.StatusBadRequest, "line %d is no event: %s", line, jsonFault(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return e, NewProblem(http.StatusBadRequest, "line %d has more than one event", line)
	}
	return e, nil
}

// patient reads a body that may come slowly, but not one that stands still. What it
// gives beside io.EOF is a *Problem.
type patient struct {
	body    io.Reader
	control *http.ResponseController
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.control.SetReadDeadline(time.Now().Add(idleLimit)); err != nil {
		return 0, err
	}
	n, err := p.body.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = NewProblem(http.StatusRequestTimeout, "no line for %s", idleLimit)
	case err != nil && !errors.Is(err, io.EOF):
		err = NewProblem(http.StatusBadRequest, "read the body: %v", err)
	}
	return n, err
}
