package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"ehc/transport"
)

// unclaimed stands for the app of a node that no peer block claims. No app can be
// called so.
const unclaimed = "-"

func appLabel(app string) string {
	if app == "" {
		return unclaimed
	}
	return app
}

type linkMeter struct {
	opened, lost, dials, dialFailures, refused *prometheus.CounterVec
}

func newLinkMeter(m *Meter) linkMeter {
	l := linkMeter{
		opened: m.counter("connections_opened_total",
			"Connections that came up, by who dialled: ehc (out) or the peer (in).", "app", "direction"),
		lost: m.counter("connections_lost_total",
			"Connections that ended, whoever ended them; Closed is by ehc itself.", "app", "reason"),
		dials: m.counter("dials_total", "Dials that ended, well or not.", "app"),
		dialFailures: m.counter("dial_failures_total",
			"Dials that failed, by cause.", "app", "reason"),
		refused: m.counter("handshakes_refused_total",
			"Peers that dialled ehc and were not let in, by cause.", "reason"),
	}
	for _, reason := range transport.Reasons() {
		begin(l.refused, reason.Word)
	}
	l.know(unclaimed)
	return l
}

// know begins the series of an app.
func (l linkMeter) know(app string) {
	for _, direction := range []string{"in", "out"} {
		begin(l.opened, app, direction)
	}
	for _, reason := range transport.Reasons() {
		begin(l.lost, app, reason.Word)
	}
	if app == unclaimed {
		return // nobody dials those
	}
	begin(l.dials, app)
	for _, reason := range transport.Reasons() {
		begin(l.dialFailures, app, reason.Word)
	}
}

// ConnectionOpened counts a connection to a node of an app; accepted says that the
// peer dialled.
func (m *Meter) ConnectionOpened(app string, accepted bool) {
	if m == nil {
		return
	}
	direction := "out"
	if accepted {
		direction = "in"
	}
	m.links.opened.WithLabelValues(appLabel(app), direction).Inc()
}

// ConnectionLost counts the end of a connection, for transport's word.
func (m *Meter) ConnectionLost(app, reason string) {
	if m == nil {
		return
	}
	m.links.lost.WithLabelValues(appLabel(app), reason).Inc()
}

// Dialled counts a dial that ended: reason is transport's word for why it failed,
// empty if it did not.
func (m *Meter) Dialled(app, reason string) {
	if m == nil {
		return
	}
	m.links.dials.WithLabelValues(appLabel(app)).Inc()
	if reason != "" {
		m.links.dialFailures.WithLabelValues(appLabel(app), reason).Inc()
	}
}

// HandshakeRefused counts a peer that dialled us and was not let in.
func (m *Meter) HandshakeRefused(reason string) {
	if m == nil {
		return
	}
	m.links.refused.WithLabelValues(reason).Inc()
}
