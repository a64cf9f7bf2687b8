package controller

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"ehc/controller/api"
	"ehc/state/outbox"
)

// Outbox lists what waits, or what is dead, oldest first. What lies behind damage
// is left out, which the queue's own row says.
func (c *Controller) Outbox(ctx context.Context, q api.OutboxQuery) (api.Outbox, error) {
	if q.After > 0 && q.App == "" {
		return api.Outbox{}, api.NewProblem(http.StatusBadRequest, "after %d: want an app, too: each has numbers of its own", q.After)
	}
	if err := c.knownQueue(q.App); err != nil {
		return api.Outbox{}, err
	}
	events, err := c.find(ctx, q)
	var damage *outbox.DamageError
	if err != nil && !errors.As(err, &damage) {
		return api.Outbox{}, err
	}
	return api.Outbox{Apps: c.queues(c.store.Snapshot()), Events: events}, nil
}

func (c *Controller) find(ctx context.Context, q api.OutboxQuery) ([]api.Event, error) {
	found := []api.Event{}
	if q.ID != "" {
		return c.findID(ctx, q)
	}
	if q.Dead {
		letters, err := c.box.Dead(ctx, q.App, q.After, q.Limit)
		for _, l := range letters {
			found = append(found, letterJSON(l))
		}
		return found, err
	}
	events, err := c.box.List(ctx, q.App, q.After, q.Limit)
	for _, e := range events {
		found = append(found, eventJSON(e))
	}
	return found, err
}

// findID finds the events of one id, of which each app may have one, waiting or
// dead.
func (c *Controller) findID(ctx context.Context, q api.OutboxQuery) ([]api.Event, error) {
	found := []api.Event{}
	for _, app := range c.keepers(q.App) {
		waits, dead, err := c.box.Find(ctx, app, q.ID)
		switch {
		case err != nil:
			return found, err
		case waits != nil:
			found = append(found, eventJSON(*waits))
		case dead != nil:
			found = append(found, letterJSON(*dead))
		}
	}
	return found, nil
}

// knownQueue refuses the name of an app that is not in the file in force and of which
// no queue is left.
func (c *Controller) knownQueue(app string) error {
	if app == "" || len(c.keepers(app)) > 0 {
		return nil
	}
	return c.knownApp(app)
}

// keepers are the apps that have a queue, or the one that is asked for.
func (c *Controller) keepers(app string) []string {
	var apps []string
	for _, s := range c.box.Stats() {
		if app == "" || s.App == app {
			apps = append(apps, s.App)
		}
	}
	return apps
}

// Retry puts dead letters back at the end of their queues. It goes app by app: an
// error leaves those done before it done.
func (c *Controller) Retry(ctx context.Context, s api.OutboxSelection) (api.OutboxChange, error) {
	return c.change(s, func(app string) (int, error) { return c.box.Retry(ctx, app, s.IDs, time.Now()) })
}

// Drop deletes dead letters, or with Through what waits up to that number.
func (c *Controller) Drop(ctx context.Context, s api.OutboxSelection) (api.OutboxChange, error) {
	if s.Through == nil {
		return c.change(s, func(app string) (int, error) { return c.box.DropDead(ctx, app, s.IDs) })
	}
	if s.App == "" || s.All || len(s.IDs) > 0 {
		return api.OutboxChange{}, api.NewProblem(http.StatusBadRequest, "through %d: want an app, and no ids", *s.Through)
	}
	n, err := c.box.Drop(ctx, s.App, *s.Through)
	c.beside.ring()
	c.log.Warn("dropped", "app", s.App, "through", *s.Through, "events", n)
	if errors.Is(err, outbox.ErrNotWaiting) {
		return api.OutboxChange{}, api.NewProblem(http.StatusNotFound, "%v", err)
	}
	return api.OutboxChange{Events: n}, err
}

// change does something with the letters of a selection in every app that it is
// about.
func (c *Controller) change(s api.OutboxSelection, do func(app string) (int, error)) (api.OutboxChange, error) {
	if s.All == (len(s.IDs) > 0) {
		return api.OutboxChange{}, api.NewProblem(http.StatusBadRequest, "want ids, or all")
	}
	if err := c.knownQueue(s.App); err != nil {
		return api.OutboxChange{}, err
	}
	if s.All {
		s.IDs = nil
	}
	defer c.beside.ring()
	done := api.OutboxChange{}
	for _, app := range c.keepers(s.App) {
		n, err := do(app)
		done.Events += n
		if err != nil {
			return done, emitProblem(err)
		}
	}
	return done, nil
}

func eventJSON(e outbox.Event) api.Event {
	return api.Event{
		ID: e.ID, Type: e.Type, Payload: json.RawMessage(e.Payload), App: e.App, Seq: e.Seq,
		InsertedAt: e.InsertedAt, Tries: e.Tries, Error: e.LastError,
	}
}

func letterJSON(l outbox.Letter) api.Event {
	e := eventJSON(l.Event)
	e.Reason, e.DiedAt = l.Reason, l.DiedAt
	return e
}
