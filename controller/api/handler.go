package api

import (
	"context"
	"errors"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	maxBody    = 8 << 20          // bytes of a JSON body
	maxWait    = 10 * time.Minute // for something to happen
	briefLimit = 50 * time.Second // for an answer that waits for nothing
	writeLimit = 30 * time.Second // for a reader to take an answer, or one write of a stream
)

// Handler serves b.
func Handler(b Backend, o Options) http.Handler {
	mux := http.NewServeMux()
	slots := newSlots()
	methods := map[string][]string{}
	for _, r := range table(b, o) {
		mux.Handle(r.pattern, o.guarded(r, slots))
		methods[r.path()] = append(methods[r.path()], r.method())
	}
	for p, allowed := range methods {
		mux.Handle(p, notAllowed(allowed))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, NewProblem(http.StatusNotFound, "no such endpoint: %s %s", r.Method, r.URL.Path))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath(); path.Clean(p) != p { // the mux would redirect, with a page of HTML
			fail(w, NewProblem(http.StatusNotFound, "no such endpoint: %s %s", r.Method, r.URL.Path))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// slots are those of the requests under way, by pace.
type slots map[pace]chan struct{}

func newSlots() slots {
	s := slots{}
	for _, p := range []pace{brief, waiting, streaming, feeding} {
		s[p] = make(chan struct{}, p.atOnce())
	}
	return s
}

// guarded serves r within its limits, while a slot is free.
func (o Options) guarded(r route, s slots) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		lasts := r.paceOf(q)
		free := s[lasts]
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, NewProblem(http.StatusServiceUnavailable, "%d requests of this kind are under way: try again", cap(free)).Because(ReasonOverloaded))
			return
		}
		t := &tracked{ResponseWriter: w}
		defer o.recovered(t, r.pattern)
		if d := lasts.limit(); d > 0 {
			limit, cancel := context.WithTimeout(q.Context(), d)
			defer cancel()
			q = q.WithContext(limit)
		}
		lasts.extend(t)
		var err error
		if !r.anyQuery {
			err = checkQuery(q.URL.Query(), r.query)
		}
		if err == nil {
			err = r.serve(t, q)
		}
		if err != nil {
			fail(t, err)
		}
	})
}

// recovered ends a handler that panicked.
func (o Options) recovered(w *tracked, pattern string) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler && o.Panicked != nil { //nolint:errorlint // a panic's value, compared as net/http does
		o.Panicked(pattern, cause, debug.Stack())
	}
	if w.wrote {
		panic(http.ErrAbortHandler) // the answer is cut off: let the client see that
	}
	fail(w, NewProblem(http.StatusInternalServerError, "a fault of the controller's, which is in its log"))
}

// tracked knows whether an answer has begun.
type tracked struct {
	http.ResponseWriter
	wrote bool
}

// WriteHeader notes that an answer has begun, and so does Write.
func (t *tracked) WriteHeader(status int) {
	t.wrote = true
	t.ResponseWriter.WriteHeader(status)
}

// Write notes that an answer has begun.
func (t *tracked) Write(b []byte) (int, error) {
	t.wrote = true
	return t.ResponseWriter.Write(b)
}

// Unwrap is http.ResponseController's way to the connection.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func notAllowed(methods []string) http.Handler {
	if slices.Contains(methods, http.MethodGet) {
		methods = append(slices.Clone(methods), http.MethodHead)
	}
	slices.Sort(methods)
	allow := strings.Join(methods, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		fail(w, NewProblem(http.StatusMethodNotAllowed, "%s %s: want %s", r.Method, r.URL.Path, allow))
	})
}

// fail answers with err as a Problem.
func fail(w http.ResponseWriter, err error) {
	p := problemOf(err)
	_ = writeJSON(w, p.Status, problemType, p) // a Problem is JSON
}

func problemOf(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return NewProblem(http.StatusServiceUnavailable, "not done in time, or the controller is stopping: %v", err).Because(ReasonUnfinished)
	}
	return NewProblem(http.StatusInternalServerError, "%v", err)
}
