package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/disk"
)

// suspendedFile holds the apps that people have suspended, in the data folder.
const suspendedFile = "suspended.json"

// suspended is one entry of suspendedFile.
type suspended struct {
	App string    `json:"app"`
	At  time.Time `json:"at"`
}

// Suspend leaves an app of the file alone: from the next pass on nothing is done to
// its nodes and nothing is delivered to it. What is under way comes to its end. It
// is on disk when Suspend returns.
func (c *Controller) Suspend(_ context.Context, r api.SuspendRequest) (api.Suspensions, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	rows := c.store.Snapshot().Suspended()
	if slices.ContainsFunc(rows, func(s state.Suspension) bool { return s.App == r.App }) {
		return suspensions(rows, false), nil
	}
	if err := c.knownApp(r.App); err != nil {
		return api.Suspensions{}, err
	}
	return c.setSuspended(append(rows, state.Suspension{App: r.App, At: time.Now()}))
}

// Resume ends what Suspend began. The app need not be in the file any more.
func (c *Controller) Resume(_ context.Context, r api.SuspendRequest) (api.Suspensions, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	before := c.store.Snapshot().Suspended()
	rows := slices.DeleteFunc(slices.Clone(before), func(s state.Suspension) bool { return s.App == r.App })
	if len(rows) == len(before) {
		return suspensions(rows, false), c.knownApp(r.App)
	}
	return c.setSuspended(rows)
}

// knownApp returns nil for an app of the file, or one that has left it and still
// has nodes.
func (c *Controller) knownApp(name string) error {
	var names []string
	for _, a := range c.store.Snapshot().Apps() {
		if a.Name == name {
			return nil
		}
		names = append(names, a.Name)
	}
	if len(names) == 0 {
		return api.NewProblem(http.StatusNotFound, "there is no peer block %q: the file in force has none", name)
	}
	return api.NewProblem(http.StatusNotFound, "there is no peer block %q: the file in force has %s", name, strings.Join(names, ", "))
}

// setSuspended puts rows in force, on disk first.
func (c *Controller) setSuspended(rows []state.Suspension) (api.Suspensions, error) {
	slices.SortFunc(rows, func(a, b state.Suspension) int { return strings.Compare(a.App, b.App) })
	if err := c.config.saveSuspended(rows); err != nil {
		return api.Suspensions{}, err
	}
	if err := c.store.Suspend(rows); err != nil {
		return api.Suspensions{}, err
	}
	out := suspensions(rows, true)
	c.log.Info("suspended", "apps", suspendedNames(rows))
	return out, nil
}

func suspendedNames(rows []state.Suspension) []string {
	names := []string{}
	for _, s := range rows {
		names = append(names, s.App)
	}
	return names
}

func suspensions(rows []state.Suspension, changed bool) api.Suspensions {
	out := api.Suspensions{Suspended: []api.Suspension{}, Changed: changed}
	for _, s := range rows {
		out.Suspended = append(out.Suspended, api.Suspension{App: s.App, Since: s.At})
	}
	return out
}

func (c *Config) saveSuspended(rows []state.Suspension) error {
	list := []suspended{}
	for _, s := range rows {
		list = append(list, suspended(s))
	}
	path := filepath.Join(c.dataDir, suspendedFile)
	b, err := json.MarshalIndent(list, "", "  ")
	switch {
	case err != nil:
	case len(list) == 0: // also on a full volume, where only deliveries make room
		err = disk.RemoveFile(path)
	default:
		err = disk.WriteFile(path, b)
	}
	if err != nil {
		return fmt.Errorf("keep which apps are suspended: %w", err)
	}
	return nil
}

func (c *Config) readSuspended() ([]state.Suspension, error) {
	path := filepath.Join(c.dataDir, suspendedFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []suspended
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read which apps are suspended: %w; without %s none is", err, path)
	}
	var rows []state.Suspension
	for _, s := range list {
		rows = append(rows, state.Suspension(s))
	}
	return rows, nil
}
