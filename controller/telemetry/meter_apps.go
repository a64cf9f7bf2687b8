package telemetry

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/state"
)

// appMeter lets go of the series of apps that no file in force has any more: in the
// time of one process there may be many, such as one for each branch that is tried out.
type appMeter struct {
	series []deleter // those with an app for a label

	mu    sync.Mutex
	known map[string]bool // of the file in force
	gone  map[string]bool // of which something may be left, or come late
}

type deleter interface {
	DeletePartialMatch(labels prometheus.Labels) int
}

// ofApp is the label of an app.
const ofApp = "app"

// watch has series let go of apps, if they have them for a label.
func (a *appMeter) watch(series deleter, labels []string) {
	if slices.Contains(labels, ofApp) {
		a.series = append(a.series, series)
	}
}

// keep lets go of all apps but those of a file that is put in force.
func (a *appMeter) keep(apps []state.App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.known
	a.known = map[string]bool{}
	for _, app := range apps {
		a.known[app.Name] = true
		delete(a.gone, app.Name)
	}
	for name := range before {
		if !a.known[name] {
			a.gone[name] = true
		}
	}
	for name := range a.gone {
		deleted := 0
		for _, s := range a.series {
			deleted += s.DeletePartialMatch(prometheus.Labels{ofApp: name})
		}
		if deleted == 0 {
			delete(a.gone, name)
		}
	}
}
