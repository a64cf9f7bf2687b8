package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/controller/discover"
)

type dnsMeter struct {
	questions, epmd *prometheus.CounterVec
	took, epmdTook  *prometheus.HistogramVec
}

var _ discover.Observer = (*Meter)(nil)

func newDNSMeter(m *Meter) dnsMeter {
	d := dnsMeter{
		questions: m.counter("dns_questions_total",
			"Questions to a name server, by how they ended; only answer, empty and nxdomain are answers.", "outcome"),
		took: m.histogram("dns_question_duration_seconds",
			"Time that a question to a name server took, over UDP and TCP together.", latencies()),
		epmd: m.counter("epmd_questions_total",
			"Questions to the EPMD at an address that was looked up, by how they ended.", "outcome"),
		epmdTook: m.histogram("epmd_question_duration_seconds",
			"Time that a question to an EPMD took.", latencies()),
	}
	for _, outcome := range discover.Outcomes() {
		begin(d.questions, outcome)
	}
	for _, outcome := range []string{discover.Answered, discover.Garbage, discover.TimedOut, discover.Unreachable} {
		begin(d.epmd, outcome)
	}
	d.took.WithLabelValues()
	d.epmdTook.WithLabelValues()
	return d
}

// AskedDNS counts a question to a name server.
func (m *Meter) AskedDNS(outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.dns.questions.WithLabelValues(outcome).Inc()
	m.dns.took.WithLabelValues().Observe(took.Seconds())
}

// AskedEPMD counts a question to an EPMD.
func (m *Meter) AskedEPMD(outcome string, took time.Duration) {
	if m == nil {
		return
	}
	m.dns.epmd.WithLabelValues(outcome).Inc()
	m.dns.epmdTook.WithLabelValues().Observe(took.Seconds())
}
