package telemetry

import "github.com/prometheus/client_golang/prometheus"

// What became of a broadcast that came.
const (
	Kept       = "kept"        // a topic of the file has it
	PassedOver = "passed_over" // none has
	Lost       = "lost"        // more came than could be taken
)

type pubsubMeter struct {
	heard, sent *prometheus.CounterVec
	servers     *names
}

func newPubSubMeter(m *Meter) pubsubMeter {
	return pubsubMeter{
		heard: m.counter("pubsub_messages_total",
			"Broadcasts of Phoenix.PubSub that came: kept for a topic of the file, passed_over, or lost.", "server", "fate"),
		sent: m.counter("pubsub_broadcasts_total",
			"Broadcasts of Phoenix.PubSub to nodes, counted at each: sent or failed.", "server", "outcome"),
		servers: &names{known: map[string]bool{}},
	}
}

// TakesPart begins the series of a PubSub server of the file.
func (m *Meter) TakesPart(server string) {
	if m == nil {
		return
	}
	server = m.pubsub.servers.limit(server)
	for _, fate := range []string{Kept, PassedOver, Lost} {
		begin(m.pubsub.heard, server, fate)
	}
	begin(m.pubsub.sent, server, "sent")
	begin(m.pubsub.sent, server, "failed")
}

// Heard counts a broadcast that came, by its fate.
func (m *Meter) Heard(server, fate string) {
	if m != nil {
		m.pubsub.heard.WithLabelValues(m.pubsub.servers.limit(server), fate).Inc()
	}
}

// Broadcast counts a broadcast: to how many nodes it was sent, and to how many it
// could not be.
func (m *Meter) Broadcast(server string, sent, failed int) {
	if m == nil {
		return
	}
	server = m.pubsub.servers.limit(server)
	m.pubsub.sent.WithLabelValues(server, "sent").Add(float64(sent))
	m.pubsub.sent.WithLabelValues(server, "failed").Add(float64(failed))
}
