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
// an event names. All of them or none; with wait "delivered" it then waits until
// the apps have them or the request ends.
func (c *Controller) Emit(ctx context.Context, r api.EmitRequest) (api.Emitted, error) {
	if r.Wait != "" && r.Wait != "durable" && r.Wait != "delivered" {
		return api.Emitted{}, api.NewProblem(http.StatusBadRequest, "wait %q: want durable or delivered", r.Wait)
	}
	apps := c.receivers()
	now := time.Now()
	var rows []outbox.New
	out := api.Emitted{IDs: []string{}}
	for _, e := range r.Events {
		minted := e.ID == ""
		if minted {
			e.ID = c.box.MintID(now)
		}
		if len(e.Payload) == 0 {
			e.Payload = json.RawMessage("{}")
		}
		if err := checkEvent(e); err != nil {
			return api.Emitted{}, api.NewProblem(http.StatusBadRequest, "%v", err)
		}
		to, err := addressees(e, apps)
		if err != nil {
			return api.Emitted{}, err
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
		out.IDs = append(out.IDs, e.ID)
	}
	events, err := c.box.Enqueue(ctx, rows...)
	if err != nil {
		return api.Emitted{}, emitProblem(err)
	}
	if r.Wait == "delivered" {
		out.Delivered = c.awaitDelivery(ctx, events)
	}
	return out, nil
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

// awaitDelivery reports whether every event was delivered before ctx ended.
func (c *Controller) awaitDelivery(ctx context.Context, events []outbox.Event) bool {
	for _, e := range events {
		if c.box.Wait(ctx, e.App, e.Seq) != nil {
			return false
		}
	}
	return true
}

// emitProblem is err with the HTTP status that it deserves.
func emitProblem(err error) error {
	var full *outbox.FullError
	switch {
	case errors.As(err, &full):
		return api.NewProblem(http.StatusTooManyRequests, "%v", full)
	case errors.Is(err, outbox.ErrInvalid):
		return api.NewProblem(http.StatusBadRequest, "%v", err)
	}
	return err
}
