package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	maxBody      = 8 << 20 // bytes of a request
	maxWait      = 10 * time.Minute
	defaultLimit = 100
	maxLimit     = 10_000
)

// Backend is what the server serves; the controller is one. Its methods may be
// called at once. A *Problem that they return goes out as it is, any other error
// as a 500.
type Backend interface {
	Status(ctx context.Context) (Status, error)
	Plan(ctx context.Context, r PlanRequest) (Plan, error)
	Apply(ctx context.Context, r ApplyRequest) (Applied, error)
	Emit(ctx context.Context, r EmitRequest) (Emitted, error)
	Outbox(ctx context.Context, q OutboxQuery) (Outbox, error)
	Retry(ctx context.Context, s OutboxSelection) (OutboxChange, error)
	Drop(ctx context.Context, s OutboxSelection) (OutboxChange, error)
	Counts(ctx context.Context, key string, limit int) (Counts, error)
}

// Handler serves b. v is what /v1/version answers.
func Handler(b Backend, v Version) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", answer(func(r *http.Request) (any, error) {
		return b.Status(r.Context())
	}))
	mux.HandleFunc("POST /v1/plan", answer(func(r *http.Request) (any, error) {
		return with(r, b.Plan)
	}))
	mux.HandleFunc("POST /v1/apply", answer(func(r *http.Request) (any, error) {
		return with(r, b.Apply)
	}))
	mux.HandleFunc("POST /v1/events", answer(func(r *http.Request) (any, error) {
		return with(r, func(ctx context.Context, q EmitRequest) (Emitted, error) {
			ctx, cancel := bounded(ctx, q)
			defer cancel()
			return b.Emit(ctx, q)
		})
	}))
	mux.HandleFunc("GET /v1/outbox", answer(func(r *http.Request) (any, error) {
		q, err := outboxQuery(r)
		if err != nil {
			return nil, err
		}
		return b.Outbox(r.Context(), q)
	}))
	mux.HandleFunc("POST /v1/outbox/retry", answer(func(r *http.Request) (any, error) {
		return with(r, b.Retry)
	}))
	mux.HandleFunc("POST /v1/outbox/drop", answer(func(r *http.Request) (any, error) {
		return with(r, b.Drop)
	}))
	mux.HandleFunc("GET /v1/counts", answer(func(r *http.Request) (any, error) {
		limit, err := limitOf(r)
		if err != nil {
			return nil, err
		}
		return b.Counts(r.Context(), r.URL.Query().Get("key"), limit)
	}))
	mux.HandleFunc("GET /v1/version", answer(func(*http.Request) (any, error) { return v, nil }))
	mux.HandleFunc("/", answer(func(r *http.Request) (any, error) {
		return nil, NewProblem(http.StatusNotFound, "no such endpoint: %s %s", r.Method, r.URL.Path)
	}))
	return mux
}

// Serve answers requests on l until ctx ends, then lets those under way finish
// for a moment and returns nil. It closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      maxWait,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := s.Shutdown(grace); err != nil {
			err = s.Close()
			stopped <- err
			return
		}
		stopped <- nil
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve API: %w", err)
	}
	return <-stopped
}

// NewProblem is a Problem with this HTTP status.
func NewProblem(status int, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := f(r)
		status, kind := http.StatusOK, "application/json"
		if err != nil {
			p := problemOf(err)
			v, status, kind = p, p.Status, "application/problem+json"
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		text := json.NewEncoder(w)
		text.SetEscapeHTML(false) // payloads as they came
		_ = text.Encode(v)        // a reader that left needs no answer
	}
}

func with[Q, A any](r *http.Request, f func(context.Context, Q) (A, error)) (any, error) {
	var q Q
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, NewProblem(http.StatusRequestEntityTooLarge, "request body is over %d bytes", large.Limit)
		}
		return nil, NewProblem(http.StatusBadRequest, "read request body: %v", err)
	}
	return f(r.Context(), q)
}

// bounded is ctx for as long as q says that it will wait.
func bounded(ctx context.Context, q EmitRequest) (context.Context, context.CancelFunc) {
	if q.Wait != "delivered" || q.WaitMillis <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(min(q.WaitMillis, maxWait.Milliseconds()))*time.Millisecond)
}

func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxLimit {
		return 0, NewProblem(http.StatusBadRequest, "limit %q: want a number from 0 to %d", text, maxLimit)
	}
	return n, nil
}

// outboxQuery is what a request asks for, as OutboxQuery.values writes it.
func outboxQuery(r *http.Request) (OutboxQuery, error) {
	limit, err := limitOf(r)
	if err != nil {
		return OutboxQuery{}, err
	}
	v := r.URL.Query()
	q := OutboxQuery{App: v.Get("app"), ID: v.Get("id"), Dead: v.Get("dead") == "true", Limit: limit}
	if text := v.Get("after"); text != "" {
		if q.After, err = strconv.ParseUint(text, 10, 63); err != nil {
			return q, NewProblem(http.StatusBadRequest, "after %q: want the number of an event", text)
		}
	}
	return q, nil
}

func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return NewProblem(http.StatusInternalServerError, "%v", err)
}
