package controller

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"ehc/controller/api"
	"ehc/state/outbox"
	"ehc/transport/etf"
)

// Emit puts events on disk, for every app that gets events or for the one that
// an event names. All of them or none; then it waits as the request says, and tells
// what became of each.
func (c *Controller) Emit(ctx context.Context, r api.EmitRequest) (api.Emitted, error) {
	wait, limit, err := c.waitOf(r)
	if err != nil {
		return api.Emitted{}, err
	}
	events, ids, err := c.enqueue(ctx, r.Events)
	if err != nil {
		return api.Emitted{}, err
	}
	became, err := c.outcomes(ctx, wait, limit, events)
	if err != nil {
		return api.Emitted{}, err
	}
	out := api.Emitted{IDs: ids, Outcomes: make([]string, len(ids)), Delivered: true}
	for i, id := range ids {
		out.Outcomes[i] = became[id]
		out.Delivered = out.Delivered && became[id] == api.OutcomeDelivered
	}
	return out, nil
}

// enqueue puts events on disk, and returns those of each app, and the ids.
func (c *Controller) enqueue(ctx context.Context, events []api.Event) ([]outbox.Event, []string, error) {
	rows, ids, err := c.rows(events)
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()
	put, err := c.box.Enqueue(ctx, rows...)
	c.full.saw(err, c.log)
	if err != nil {
		return nil, nil, emitProblem(err)
	}
	c.tracer.Enqueued(ctx, put, began)
	return put, ids, nil
}

// waitOf is what r waits for, and for how long; 0 is for as long as it lasts.
func (c *Controller) waitOf(r api.EmitRequest) (wait string, limit time.Duration, err error) {
	limit = time.Duration(min(r.WaitMillis, maxCallTime.Milliseconds())) * time.Millisecond
	switch {
	case r.WaitMillis < 0:
		return "", 0, api.NewProblem(http.StatusBadRequest, "wait_millis %d: want 0 or more", r.WaitMillis)
	case r.Wait == "":
		return api.WaitDurable, limit, nil
	case r.Wait == api.WaitConnected && limit == 0:
		return r.Wait, c.config.Spec().RPC.Timeout, nil
	case r.Wait == api.WaitDurable, r.Wait == api.WaitConnected, r.Wait == api.WaitDelivered:
		return r.Wait, limit, nil
	}
	return "", 0, api.NewProblem(http.StatusBadRequest, "wait %q: want durable, connected or delivered", r.Wait)
}

// rows are events for the queues of their apps, and their ids, checked and minted.
func (c *Controller) rows(events []api.Event) (rows []outbox.New, ids []string, err error) {
	apps := c.receivers()
	now := time.Now()
	ids = []string{}
	for _, e := range events {
		minted := e.ID == ""
		if minted {
			e.ID = c.box.MintID(now)
		}
		if len(e.Payload) == 0 {
			e.Payload = json.RawMessage("{}")
		}
		if err := checkEvent(e); err != nil {
			return nil, nil, api.NewProblem(http.StatusBadRequest, "%v", err)
		}
		to, err := addressees(e, apps)
		if err != nil {
			return nil, nil, err
		}
		at := e.InsertedAt
		if at.IsZero() {
			at = now
		}
		for _, app := range to {
			rows = append(rows, outbox.New{
				App: app, ID: e.ID, Minted: minted, Type: e.Type, Payload: e.Payload, InsertedAt: at,
			})
		}
		ids = append(ids, e.ID)
	}
	return rows, ids, nil
}

// receivers are the apps that get events.
func (c *Controller) receivers() []string {
	var apps []string
	for _, a := range c.config.Spec().Apps {
		if a.Deliver != nil {
			apps = append(apps, a.Name)
		}
	}
	return apps
}

func addressees(e api.Event, apps []string) ([]string, error) {
	switch {
	case e.App == "" && len(apps) == 0:
		return nil, api.NewProblem(http.StatusUnprocessableEntity,
			"no app gets events: give a peer block in cluster.hcl a deliver block")
	case e.App == "":
		return apps, nil
	case !slices.Contains(apps, e.App):
		return nil, api.NewProblem(http.StatusUnprocessableEntity,
			"app %q gets no events: give its peer block in cluster.hcl a deliver block", e.App)
	}
	return []string{e.App}, nil
}

// checkEvent finds out now whether the event can be delivered at all: one that
// cannot would stop its queue later.
func checkEvent(e api.Event) error {
	if e.Type == "" {
		return errors.New("event has no type")
	}
	t, err := eventTerm(e.ID, e.Type, e.Payload, time.Time{})
	if err != nil {
		return err
	}
	_, err = etf.Encode(t)
	return err
}

// emitProblem is err with the HTTP status that it deserves.
func emitProblem(err error) error {
	var full *outbox.FullError
	switch {
	case errors.As(err, &full):
		return api.NewProblem(http.StatusTooManyRequests, "%v", full).Because(api.ReasonFull)
	case errors.Is(err, outbox.ErrInvalid):
		return api.NewProblem(http.StatusBadRequest, "%v", err)
	}
	return err
}
