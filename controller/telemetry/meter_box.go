package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/state/outbox"
)

type boxMeter struct {
	events map[string]*prometheus.CounterVec // by outbox's word for what became of them
	buried *prometheus.CounterVec
	batch  *prometheus.HistogramVec
	took   *prometheus.HistogramVec
	inbox  *prometheus.CounterVec
}

func newBoxMeter(m *Meter) boxMeter {
	b := boxMeter{
		events: map[string]*prometheus.CounterVec{},
		buried: m.counter("outbox_buried_total", "Events that went to the dead letters, by reason.", "app", "reason"),
		batch: m.histogram("drain_batch_events",
			"Events that were given to an app in one call.", sizes(), "app"),
		took: m.histogram("drain_call_duration_seconds",
			"Time that a call took which delivers events.", latencies(), "app"),
		inbox: m.counter("inbox_events_total",
			"Events that other nodes delivered to ehc: new, again (handled before), or refused for a reason.", "outcome"),
	}
	for what, c := range map[string]struct{ name, help string }{
		outbox.Enqueued:    {"outbox_enqueued_total", "Events that were put into the queue, on disk."},
		outbox.Known:       {"outbox_repeated_total", "Events that were given again under an id that was there: nothing was added."},
		outbox.Full:        {"outbox_refused_total", "Events that were refused because the queue is full."},
		outbox.Delivered:   {"outbox_delivered_total", "Events that the app has taken."},
		outbox.Failed:      {"outbox_delivery_failures_total", "Deliveries that the app refused; the events wait for another try."},
		outbox.Retried:     {"outbox_retried_total", "Dead letters that were put back into the queue."},
		outbox.Dropped:     {"outbox_dropped_total", "Events that a person took out of the queue."},
		outbox.DroppedDead: {"outbox_dead_dropped_total", "Dead letters that a person deleted."},
	} {
		b.events[what] = m.counter(c.name, c.help, "app")
	}
	return b
}

// know begins the series of an app that gets events.
func (b boxMeter) know(app string) {
	for _, c := range b.events {
		begin(c, app)
	}
	for _, reason := range []string{
		"UnknownEventType", "NotATerm", "HandlerRefused", "HandlerRaised", "HandlerKilled", outbox.Expired,
	} {
		begin(b.buried, app, reason)
	}
	b.batch.WithLabelValues(app)
	b.took.WithLabelValues(app)
}

// Events counts what became of events.
func (m *Meter) Events(c outbox.Change) {
	if m == nil {
		return
	}
	if c.What == outbox.Buried {
		m.box.buried.WithLabelValues(c.App, c.Reason).Add(float64(c.Events))
		return
	}
	if counter := m.box.events[c.What]; counter != nil {
		counter.WithLabelValues(c.App).Add(float64(c.Events))
	}
}

// Batch counts a call that was to deliver so many events to an app.
func (m *Meter) Batch(app string, events int, took time.Duration) {
	if m == nil {
		return
	}
	m.box.batch.WithLabelValues(app).Observe(float64(events))
	m.box.took.WithLabelValues(app).Observe(took.Seconds())
}

// Receives begins the series of the inbox.
func (m *Meter) Receives() {
	if m == nil {
		return
	}
	begin(m.box.inbox, "new")
	begin(m.box.inbox, "again")
}

// Received counts events that another node delivered: new ones, and those that had
// been handled before. refused is the reason word for the one after them, if that
// could not be taken.
func (m *Meter) Received(fresh, again int, refused string) {
	if m == nil {
		return
	}
	m.box.inbox.WithLabelValues("new").Add(float64(fresh))
	m.box.inbox.WithLabelValues("again").Add(float64(again))
	if refused != "" {
		m.box.inbox.WithLabelValues(refused).Inc()
	}
}
