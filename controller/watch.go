package controller

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"ehc/controller/history"
)

// settle is how long a file must be left alone before it is read: an editor
// writes in several steps.
const settle = 100 * time.Millisecond

// Watch reloads the watched file when it changes or when a signal comes in on
// reload, until ctx ends. A file with errors is logged once and changes nothing.
func (c *Controller) Watch(ctx context.Context, reload <-chan os.Signal) error {
	events, failures, stop, err := watchFolder(c.config.path)
	if err != nil {
		return err
	}
	defer stop()
	_, problem := c.config.inForce()
	switch lost := c.config.lostAtStart(); {
	case lost != "":
		c.log.Error("start: the file last applied is not in force", "error", lost)
		c.tell(history.Entry{Kind: history.ReloadFailed, Warning: true, Message: lost})
	case problem != "":
		c.log.Error("start: the file last applied stays in force", "error", problem)
		c.tellReloadFailed(problem)
	}
	c.reloadOn(ctx, reload, events, failures)
	return nil
}

// reloadOn is Watch for these events of the file's folder.
func (c *Controller) reloadOn(ctx context.Context, reload <-chan os.Signal, events <-chan fsnotify.Event, failures <-chan error) {
	timer := time.NewTimer(0) // what changed before we watched
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-reload:
			c.reload(true)
		case e := <-events:
			if filepath.Base(e.Name) == filepath.Base(c.config.path) || e.Has(fsnotify.Create) {
				timer.Reset(settle)
			}
		case err := <-failures:
			c.log.Warn("watch config", "error", err)
			timer.Reset(settle) // the file's own event may be among those that are lost
		case <-timer.C:
			c.reload(false)
		}
	}
}

// watchFolder watches the folder that path is in: editors and ConfigMaps put a
// new file in place of the old one, which a watch of the file would lose. With
// no path there is nothing to see.
func watchFolder(path string) (<-chan fsnotify.Event, <-chan error, func(), error) {
	if path == "" {
		return nil, nil, func() {}, nil
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("watch config: %w", err)
	}
	if err := w.Add(filepath.Dir(path)); err != nil {
		_ = w.Close()
		return nil, nil, nil, fmt.Errorf("watch config: %w", err)
	}
	return w.Events, w.Errors, func() { _ = w.Close() }, nil
}

// reload puts the watched file in force if it has changed.
func (c *Controller) reload(force bool) {
	if c.config.path == "" {
		if force {
			c.log.Warn("reload", "error", "there is no -config file to read again")
		}
		return
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	_, before := c.config.inForce()
	changed, err := c.config.Reload(force)
	if err != nil {
		if err.Error() != before {
			c.log.Error("reload: the last good file stays in force", "error", err)
			c.tellReloadFailed(err.Error())
		}
		return
	}
	if !changed {
		if before != "" {
			c.beside.ring() // the problem is over
		}
		return
	}
	s := c.config.Spec()
	if err := c.enforce(s); err != nil {
		c.log.Error("reload", "error", err)
		return
	}
	c.log.Info("reloaded", "file", c.config.path, "apps", len(s.Apps))
	c.tell(history.Entry{Kind: history.Reloaded, Message: "in force: " + c.config.path})
	for _, name := range c.config.RestartRequired(s) {
		c.log.Warn("restart required", "changed", name)
	}
}

func (c *Controller) tellReloadFailed(why string) {
	c.tell(history.Entry{Kind: history.ReloadFailed, Warning: true, Message: "the last good file stays in force: " + why})
}
