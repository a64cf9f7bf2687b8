package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Meter counts what happens, in a registry of its own. All its methods may be
// called at once; those of a nil Meter count nothing.
type Meter struct {
	registry *prometheus.Registry
	apps     appMeter

	links linkMeter
	dns   dnsMeter
	loop  loopMeter
	box   boxMeter
	store storeMeter
	rpc   rpcMeter
	api   apiMeter
	door  doorMeter

	pubsub pubsubMeter
}

// NewMeter returns a Meter of which nothing has been counted. The two versions are
// those of the build.
func NewMeter(version, goVersion string) *Meter {
	m := &Meter{registry: prometheus.NewRegistry(), apps: appMeter{gone: map[string]bool{}}}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.gauge("build_info", "Always 1: the labels say which build runs.", "version", "go_version").
		WithLabelValues(version, goVersion).Set(1)
	m.links = newLinkMeter(m)
	m.dns = newDNSMeter(m)
	m.loop = newLoopMeter(m)
	m.box = newBoxMeter(m)
	m.store = newStoreMeter(m)
	m.rpc = newRPCMeter(m)
	m.api = newAPIMeter(m)
	m.door = newDoorMeter(m)
	m.pubsub = newPubSubMeter(m)
	return m
}

// Handler serves every series, as text. A series that cannot be read is left out,
// and the rest is served.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	})
}

const namespace = "ehc"

// latencies are the bounds of durations from a fraction of a millisecond, which a
// flush of a good disk takes, to a call's longest usual deadline; in seconds.
func latencies() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// sizes are the bounds of numbers of events.
func sizes() []float64 { return []float64{1, 4, 16, 64, 256, 1000} }

// counter makes and registers a counter.
func (m *Meter) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	m.apps.watch(c, labels)
	return c
}

// gauge makes and registers a gauge.
func (m *Meter) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	m.apps.watch(g, labels)
	return g
}

// histogram makes and registers a histogram.
func (m *Meter) histogram(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: bounds}, labels)
	m.registry.MustRegister(h)
	m.apps.watch(h, labels)
	return h
}

// begin has a counter show 0 for these values before anything has happened: to
// Prometheus a series that begins at 1 has not increased.
func begin(c *prometheus.CounterVec, values ...string) { c.WithLabelValues(values...) }
