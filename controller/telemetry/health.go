package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// checkLimit bounds each check.
const checkLimit = 5 * time.Second

// Check is one thing that must be so.
type Check struct {
	Name string
	Do   func(context.Context) error // nil: it is so; else why not, for people
}

// Healthy answers a probe: 200 if every check says that it is so, else 503; and a
// line for each, which begins with ok or failed. Nothing else is told to whoever
// asks, for nobody proves who they are here.
func Healthy(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		status := http.StatusOK
		for _, c := range checks {
			if err := c.within(r.Context()); err != nil {
				status = http.StatusServiceUnavailable
				fmt.Fprintf(&text, "failed %s: %v\n", c.Name, err)
				continue
			}
			fmt.Fprintf(&text, "ok %s\n", c.Name)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text.String())) // a prober that left needs no answer
	})
}

func (c Check) within(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	return c.Do(limit)
}

// Handler serves GET /metrics, /healthz and /readyz, and nothing else. metrics may
// be nil.
func Handler(metrics, healthz, readyz http.Handler) http.Handler {
	mux := http.NewServeMux()
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	mux.Handle("GET /healthz", healthz)
	mux.Handle("GET /readyz", readyz)
	return mux
}
