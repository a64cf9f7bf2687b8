package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
)

// statusLimit bounds the reading of the status for one scrape.
const statusLimit = 5 * time.Second

// Sources are where the facts are that nobody needs to count: they are read at
// every scrape, so they are as old as the scrape and never wrong by a lost event.
type Sources struct {
	Snapshot func() state.Snapshot
	Queues   func() []outbox.Stat
	Status   func(context.Context) (api.Status, error)
	Size     func() (disk.Size, error)
}

// Read serves what s tells, from the next scrape on. Call it once.
func (m *Meter) Read(s Sources) {
	if m != nil {
		m.registry.MustRegister(&collector{Sources: s, descs: newDescs()})
	}
}

// descs are the series that a collector makes.
type descs struct {
	connections, listed, queries               *prometheus.Desc
	condition, configProblem, restart, applied *prometheus.Desc
	pending, bytes, oldest, letters, damaged   *prometheus.Desc
	storeSize, volumeSize, volumeAvailable     *prometheus.Desc
	warnings                                   *prometheus.Desc
}

func newDescs() descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return descs{
		connections: desc("connections",
			"Nodes with a connection, or listed and without one, by its phase: up, dialling or down.", "app", "phase"),
		listed:  desc("nodes_listed", "Nodes that a query lists now.", "app"),
		queries: desc("queries", "Queries, by how the last lookup ended: answered, failed, or none yet (waiting).", "app", "state"),
		condition: desc("app_condition",
			"1 for the status (True, False, Unknown) that a condition of an app has now, else 0.", "app", "condition", "status"),
		configProblem: desc("config_problem", "1 while the newest version of the file is not in force, because it has errors."),
		restart:       desc("config_restart_required", "Settings that the file changes and that are fixed at start."),
		applied:       desc("config_applied_timestamp_seconds", "When the file in force was put in force."),
		warnings:      desc("start_warnings", "Warnings that stand in every status."),
		pending:       desc("outbox_pending_events", "Events that wait.", "app"),
		bytes:         desc("outbox_pending_bytes", "Payloads of the events that wait.", "app"),
		oldest:        desc("outbox_oldest_event_age_seconds", "Age of the first event that waits; 0 if none does.", "app"),
		letters:       desc("outbox_dead_letters", "Dead letters that are kept.", "app"),
		damaged:       desc("outbox_damaged", "1 while a queue stands still because rows of it are damaged.", "app"),

		storeSize:       desc("store_size_bytes", "Size of the store's file and its log."),
		volumeSize:      desc("store_volume_size_bytes", "Size of the volume that the store is on."),
		volumeAvailable: desc("store_volume_available_bytes", "Room on that volume for ehc."),
	}
}

// collector reads its sources at every scrape.
type collector struct {
	Sources
	descs
}

// Describe is prometheus's: it tells the series.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.connections, c.listed, c.queries, c.condition, c.configProblem, c.restart, c.applied, c.warnings,
		c.pending, c.bytes, c.oldest, c.letters, c.damaged, c.storeSize, c.volumeSize, c.volumeAvailable,
	} {
		to <- d
	}
}

// Collect is prometheus's: it gives the values.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	c.collectLinks(gauge)
	c.collectQueues(gauge)
	ctx, cancel := context.WithTimeout(context.Background(), statusLimit)
	defer cancel()
	if s, err := c.Status(ctx); err == nil { // without it, the rest is served
		c.collectStatus(gauge, s)
	}
	if s, err := c.Size(); err == nil {
		gauge(c.storeSize, float64(s.Store))
		gauge(c.volumeSize, float64(s.Volume))
		gauge(c.volumeAvailable, float64(s.Available))
	}
}

type gaugeFunc func(d *prometheus.Desc, value float64, labels ...string)

func (c *collector) collectLinks(gauge gaugeFunc) {
	snap := c.Snapshot()
	type place struct {
		app   string
		phase state.Phase
	}
	connections, listed := map[place]int{}, map[string]int{}
	queries := map[[2]string]int{}
	for _, a := range snap.Apps() {
		for _, phase := range []state.Phase{state.Down, state.Dialling, state.Up} {
			connections[place{a.Name, phase}] = 0
		}
		listed[a.Name] = 0
		for _, how := range []string{"answered", "failed", "waiting"} {
			queries[[2]string{a.Name, how}] = 0
		}
	}
	for _, conn := range snap.Conns() {
		connections[place{appLabel(conn.App), conn.Phase}]++
	}
	counted := map[state.Node]bool{}
	for _, p := range snap.Peers() { // ordered by app: a node counts for the first that lists it
		if !p.GoneSince.IsZero() || counted[p.Node] {
			continue
		}
		counted[p.Node] = true
		listed[p.App]++
		if snap.Conn(p.Node).Node == "" { // never dialled yet
			connections[place{p.App, state.Down}]++
		}
	}
	for _, q := range snap.Queries() {
		queries[[2]string{q.App, howAnswered(q)}]++
	}
	for at, n := range connections {
		gauge(c.connections, float64(n), at.app, at.phase.String())
	}
	for app, n := range listed {
		gauge(c.listed, float64(n), app)
	}
	for at, n := range queries {
		gauge(c.queries, float64(n), at[0], at[1])
	}
}

func howAnswered(q state.Query) string {
	switch {
	case q.Err != "":
		return "failed"
	case q.Known:
		return "answered"
	}
	return "waiting"
}

func (c *collector) collectQueues(gauge gaugeFunc) {
	now := time.Now()
	for _, q := range c.Queues() {
		age := 0.0
		if !q.Oldest.IsZero() {
			age = max(now.Sub(q.Oldest).Seconds(), 0)
		}
		gauge(c.pending, float64(q.Pending), q.App)
		gauge(c.bytes, float64(q.Bytes), q.App)
		gauge(c.oldest, age, q.App)
		gauge(c.letters, float64(q.Dead), q.App)
		gauge(c.damaged, flag(q.Damage != nil), q.App)
	}
}

func (c *collector) collectStatus(gauge gaugeFunc, s api.Status) {
	for _, a := range s.Apps {
		for _, condition := range a.Conditions {
			for _, status := range []string{"True", "False", "Unknown"} {
				gauge(c.condition, flag(condition.Status == status), a.App, condition.Type, status)
			}
		}
	}
	gauge(c.configProblem, flag(s.Config.Error != ""))
	gauge(c.restart, float64(len(s.Config.RestartRequired)))
	gauge(c.applied, seconds(s.Config.AppliedAt))
	gauge(c.warnings, float64(len(s.Warnings)))
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
