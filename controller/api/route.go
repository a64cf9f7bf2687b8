package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const jsonType = "application/json"

// route is one operation of the API.
type route struct {
	pattern string   // method and path, as http.ServeMux has them: "GET /v1/status"
	query   []string // the parameters that it takes; others are refused
	// anyQuery passes over parameters: whoever asks may have added them for others.
	anyQuery bool
	pace     pace
	// feeds says of a request that it is read and answered bit by bit, whatever the
	// pace; nil: of none.
	feeds func(*http.Request) bool
	// serve answers, or returns why not, having written nothing.
	serve func(w http.ResponseWriter, r *http.Request) error
}

// paceOf is the pace of one request.
func (r route) paceOf(q *http.Request) pace {
	if r.feeds != nil && r.feeds(q) {
		return feeding
	}
	return r.pace
}

func (r route) method() string { m, _, _ := strings.Cut(r.pattern, " "); return m }
func (r route) path() string   { _, p, _ := strings.Cut(r.pattern, " "); return p }

// newRead is a route that answers a query, of these parameters, with JSON.
func newRead[A any](pattern string, query []string, f func(context.Context, url.Values) (A, error)) route {
	return route{pattern: pattern, query: query, serve: func(w http.ResponseWriter, r *http.Request) error {
		a, err := f(r.Context(), r.URL.Query())
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, jsonType, a)
	}}
}

// newWrite is a route that answers a JSON body with JSON.
func newWrite[Q, A any](pattern string, f func(context.Context, Q) (A, error)) route {
	return route{pattern: pattern, serve: func(w http.ResponseWriter, r *http.Request) error {
		q, err := readJSON[Q](w, r)
		if err != nil {
			return err
		}
		a, err := f(r.Context(), q)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, jsonType, a)
	}}
}

// newStream is a route that answers a query with Server-Sent Events. begin looks
// at the request and returns what then feeds the stream until it returns; an
// error of begin goes out as a Problem, one of feed ends the stream. What begin has
// opened is feed's to close, so it is called with an ended context, too, where there
// is nobody to feed.
func newStream(pattern string, query []string, begin func(*http.Request) (feed func(context.Context, *SSE) error, err error)) route {
	return route{pattern: pattern, query: query, pace: streaming, serve: func(w http.ResponseWriter, r *http.Request) error {
		feed, err := begin(r)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		s, err := NewSSE(w)
		if err != nil || r.Method == http.MethodHead { // which is answered
			cancel()
		}
		_ = feed(ctx, s) // the reader has gone or is told by the end
		return err
	}}
}

// waits makes r one that may wait for something to happen.
func (r route) waits() route { r.pace = waiting; return r }

// writeJSON writes an answer. Its error is that v is no JSON, and nothing is
// written then; a reader that has left is no error.
func writeJSON(w http.ResponseWriter, status int, kind string, v any) error {
	var b bytes.Buffer
	text := json.NewEncoder(&b)
	text.SetEscapeHTML(false) // payloads as they came
	if err := text.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader that left needs no answer
	return nil
}

// checkQuery refuses parameters that are not among those known, or stand twice.
func checkQuery(q url.Values, known []string) error {
	for name, values := range q {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return NewProblem(http.StatusBadRequest, "parameter %q: this route takes none", name)
		case !slices.Contains(known, name):
			return NewProblem(http.StatusBadRequest, "parameter %q: this route takes %s", name, strings.Join(known, ", "))
		case len(values) > 1:
			return NewProblem(http.StatusBadRequest, "parameter %q: stands %d times", name, len(values))
		}
	}
	return nil
}
