package telemetry

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type apiMeter struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newAPIMeter(m *Meter) apiMeter {
	return apiMeter{
		requests: m.counter("api_requests_total", "Requests to the API, by route and status.", "route", "code"),
		took: m.histogram("api_request_duration_seconds",
			"Time that a request took; those that wait for something last until it has happened.", latencies(), "route"),
	}
}

// Requests has the requests to h counted by route, which is the pattern of
// http.ServeMux that matched: what somebody makes up is all one.
func (m *Meter) Requests(h http.Handler) http.Handler {
	if m == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		s := &statusWriter{ResponseWriter: w, code: http.StatusOK}
		h.ServeHTTP(s, r)
		route := cmp.Or(r.Pattern, "/")
		m.api.requests.WithLabelValues(route, strconv.Itoa(s.code)).Inc()
		m.api.took.WithLabelValues(route).Observe(time.Since(began).Seconds())
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	code  int
	wrote bool
}

// WriteHeader notes the first status that counts.
func (w *statusWriter) WriteHeader(code int) {
	if !w.wrote && code >= 200 {
		w.code, w.wrote = code, true
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController, by which streams are flushed.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
