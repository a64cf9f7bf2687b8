package controller

import (
	"context"
	"os"
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
	c.tellStart()
	if c.config.path == "" {
		c.reloadOn(ctx, reload, nil, nil, nil)
		return nil
	}
	file, err := newTrail(c.config.path)
	if err != nil {
		return err
	}
	c.reloadOn(ctx, reload, file, file.watcher.Events, file.watcher.Errors)
	return file.close()
}

// tellStart tells of a file that is not in force at the start.
func (c *Controller) tellStart() {
	_, problem := c.config.inForce()
	switch lost := c.config.lostAtStart(); {
	case lost != "":
		c.log.Error("start: the file last applied is not in force", "error", lost)
		c.tell(history.Entry{Kind: history.ReloadFailed, Warning: true, Message: lost})
	case problem != "":
		c.log.Error("start: the file last applied stays in force", "error", problem)
		c.tellReloadFailed(problem)
	}
}

// reloadOn is Watch for these events on the way to the file; file is nil where there
// are none.
func (c *Controller) reloadOn(
	ctx context.Context, reload <-chan os.Signal, file *trail, events <-chan fsnotify.Event, failures <-chan error,
) {
	timer := time.NewTimer(0) // what changed before we watched
	defer timer.Stop()
	for {
		force := false
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if file.concerns(e) {
				timer.Reset(settle)
			}
			continue
		case err := <-failures:
			c.log.Warn("watch config", "error", err)
			timer.Reset(settle) // the file's own event may be among those that are lost
			continue
		case <-reload:
			force = true
		case <-timer.C:
		}
		if file != nil {
			if err := file.follow(); err != nil {
				c.log.Warn("changes of the file may not be seen until SIGHUP", "error", err)
			}
		}
		c.reload(force)
	}
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
