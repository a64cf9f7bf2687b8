package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
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
// line for each, ok or failed and its name. Nothing else is told to whoever asks, for
// nobody proves who they are here: why a check fails goes to failed, for the log,
// once until the check is ok again. failed may be nil, and is called by one goroutine
// at a time.
func Healthy(failed func(check string, why error), checks ...Check) http.Handler {
	said := sayOnce{failed: failed, down: map[string]bool{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		status := http.StatusOK
		for _, c := range checks {
			err := c.within(r.Context())
			said.say(c.Name, err)
			if err != nil {
				status = http.StatusServiceUnavailable
				fmt.Fprintf(&text, "failed %s\n", c.Name)
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

// sayOnce tells of what fails when it becomes so: probes come every few seconds.
type sayOnce struct {
	mu     sync.Mutex
	failed func(check string, why error)
	down   map[string]bool // by check
}

func (s *sayOnce) say(check string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.down[check] && s.failed != nil {
		s.failed(check, err)
	}
	s.down[check] = err != nil
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
