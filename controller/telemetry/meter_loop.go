package telemetry

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/reconcile"
	"ehc/state"
)

type loopMeter struct {
	took    *prometheus.HistogramVec
	actions *prometheus.CounterVec
	held    *prometheus.GaugeVec
	last    *prometheus.GaugeVec
}

func newLoopMeter(m *Meter) loopMeter {
	l := loopMeter{
		took: m.histogram("reconcile_pass_duration_seconds",
			"Time that a pass took: to plan, and to start every action.", latencies()),
		actions: m.counter("reconcile_actions_total",
			"Actions of passes, by whether they were started; how they end is told elsewhere.", "kind", "outcome"),
		held: m.gauge("reconcile_held",
			"Holds of the last pass: by a guard, until a person approves, or by a wait, which ends by itself.", "by"),
		last: m.gauge("reconcile_last_pass_timestamp_seconds", "When the last pass ended."),
	}
	for _, kind := range []reconcile.Kind{reconcile.Prune, reconcile.Connect, reconcile.Resync, reconcile.Drain} {
		begin(l.actions, kind.String(), "started")
		begin(l.actions, kind.String(), "failed")
	}
	l.held.WithLabelValues("guard")
	l.held.WithLabelValues("wait")
	l.took.WithLabelValues()
	return l
}

// Pass counts a pass: what it had to do, what reconcile.Apply said of it, when it
// ended and how long it took.
func (m *Meter) Pass(plan reconcile.Plan, err error, now time.Time, took time.Duration) {
	if m == nil {
		return
	}
	m.loop.took.WithLabelValues().Observe(took.Seconds())
	m.loop.last.WithLabelValues().Set(seconds(now))
	started := map[reconcile.Kind]int{}
	for _, a := range plan.Actions {
		started[a.Kind]++
	}
	for _, f := range notStarted(err) {
		started[f.Action.Kind]--
		m.loop.actions.WithLabelValues(f.Action.Kind.String(), "failed").Inc()
	}
	for kind, n := range started {
		m.loop.actions.WithLabelValues(kind.String(), "started").Add(float64(n))
	}
	guards, waits := 0, 0
	for _, h := range plan.Held {
		if h.Prune {
			guards++
		} else {
			waits++
		}
	}
	m.loop.held.WithLabelValues("guard").Set(float64(guards))
	m.loop.held.WithLabelValues("wait").Set(float64(waits))
}

// notStarted are the actions that Apply could not start.
func notStarted(err error) []*reconcile.ActionError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the tree itself is walked
		var all []*reconcile.ActionError
		for _, e := range joined.Unwrap() {
			all = append(all, notStarted(e)...)
		}
		return all
	}
	var one *reconcile.ActionError
	if errors.As(err, &one) {
		return []*reconcile.ActionError{one}
	}
	return nil
}

// Know begins the series of the apps of a file that is put in force, and ends those of
// apps that it has no longer.
func (m *Meter) Know(apps []state.App) {
	if m == nil {
		return
	}
	m.apps.keep(apps)
	for _, a := range apps {
		m.links.know(a.Name)
		if a.Deliver != nil {
			m.box.know(a.Name)
			m.rpc.know(a.Deliver.Module, a.Deliver.Function)
			m.rpc.know(a.Deliver.Batch.Module, a.Deliver.Batch.Name)
		}
	}
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
