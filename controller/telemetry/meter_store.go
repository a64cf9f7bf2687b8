package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"ehc/state/disk"
)

type storeMeter struct {
	took     *prometheus.HistogramVec
	writes   *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

func newStoreMeter(m *Meter) storeMeter {
	s := storeMeter{
		took: m.histogram("store_commit_duration_seconds",
			"Time that a commit took: the log written and flushed to the disk.", latencies()),
		writes:   m.histogram("store_commit_writes", "Writes that shared one commit, and its flush.", sizes()),
		failures: m.counter("store_commit_failures_total", "Commits that failed, as on a full volume."),
	}
	s.took.WithLabelValues()
	s.writes.WithLabelValues()
	begin(s.failures)
	return s
}

// Commit counts a commit.
func (m *Meter) Commit(c disk.Commit) {
	if m == nil {
		return
	}
	m.store.took.WithLabelValues().Observe(c.Took.Seconds())
	m.store.writes.WithLabelValues().Observe(float64(c.Writes))
	if c.Err != nil {
		m.store.failures.WithLabelValues().Inc()
	}
}
