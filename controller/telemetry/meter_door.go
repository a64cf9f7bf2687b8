package telemetry

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type doorMeter struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newDoorMeter(m *Meter) doorMeter {
	d := doorMeter{
		requests: m.counter("door_requests_total",
			"GenServer calls and casts of apps to ehc, by what they ask and by how they were answered: "+
				"ok, cast, or the reason of the error.", "request", "outcome"),
		took: m.histogram("door_call_duration_seconds",
			"Time that a GenServer call took; one that waits for a delivery lasts until that.", latencies()),
	}
	for _, request := range doorRequests() {
		begin(d.requests, request, "ok")
	}
	d.took.WithLabelValues()
	return d
}

// doorRequests are what the door understands. Apps may ask anything: the rest is
// other.
func doorRequests() []string {
	return []string{
		"increment_visit", "update_likes", "add_comment", "emit", "get_realtime_count", "count", "status", "connected_nodes", "ping",
	}
}

// doorOutcomes are the reasons that the door gives.
func doorOutcomes() []string {
	return []string{
		"ok", "cast", "disconnected", "timeout", "remote", "not_allowed", "bad_request", "unavailable", "full", "dead", "dropped",
	}
}

func among(words []string, word string) string {
	if slices.Contains(words, word) {
		return word
	}
	return "other"
}

// DoorCalled counts a GenServer call: its first word, and ok or the reason of the
// error that it was answered with.
func (m *Meter) DoorCalled(request, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.doorAsked(request, outcome)
	m.door.took.WithLabelValues().Observe(took.Seconds())
}

// DoorCast counts a GenServer cast: its first word, and cast or bad_request.
func (m *Meter) DoorCast(request, outcome string) {
	if m != nil {
		m.doorAsked(request, outcome)
	}
}

func (m *Meter) doorAsked(request, outcome string) {
	m.door.requests.WithLabelValues(among(doorRequests(), request), among(doorOutcomes(), outcome)).Inc()
}
