package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"ehc/controller/api"
)

// emitLines sends what comes from r, each line read by event, which is told what
// -app says. What has come is sent at once rather than kept until a batch is full. At
// a line that is no event it stops; the events before it are on disk then.
func (e *emitCommand) emitLines(ctx context.Context, client *api.Client, r io.Reader, event func([]byte, string) (api.Event, error)) error {
	in := api.NewLineReader(interruptible{ctx, r})
	for {
		var batch []api.Event
		end := in.Batch(func(text []byte) error {
			one, err := event(text, e.app)
			if err != nil {
				return fmt.Errorf("line %d: %w; the events before it are on disk", in.Line(), err)
			}
			batch = append(batch, one)
			return nil
		})
		if len(batch) > 0 {
			if err := e.emit(ctx, client, batch); err != nil {
				return fmt.Errorf("lines up to %d: %w", in.Line(), err)
			}
		}
		if errors.Is(end, io.EOF) {
			return nil
		}
		if end != nil {
			return end
		}
	}
}

// newEvent reads an event; app is for one that names none.
func newEvent(text []byte, app string) (api.Event, error) {
	var given struct {
		ID      string          `json:"id"`
		Type    string          `json:"type"`
		App     string          `json:"app"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := only(text, &given); err != nil {
		return api.Event{}, err
	}
	return deliverable(api.Event{ID: given.ID, Type: given.Type, App: orElse(given.App, app), Payload: given.Payload})
}

// exportedEvent reads an event as ehc outbox export writes it, and leaves out how
// its delivery went; app takes the place of its own.
func exportedEvent(text []byte, app string) (api.Event, error) {
	var given api.Event
	if err := only(text, &given); err != nil {
		return api.Event{}, err
	}
	if given.ID == "" {
		return api.Event{}, errors.New("not an exported event: it has no id")
	}
	return deliverable(api.Event{
		ID: given.ID, Type: given.Type, App: orElse(app, given.App), Payload: given.Payload, InsertedAt: given.InsertedAt,
	})
}

// only reads the one value of a line, which may have no key that v has not.
func only(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not an event: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one event")
	}
	return nil
}

func deliverable(e api.Event) (api.Event, error) {
	if e.Payload == nil {
		e.Payload = json.RawMessage("{}")
	}
	if e.Type == "" || !isObject(string(e.Payload)) {
		return api.Event{}, errors.New("not an event: want a type and a payload that is an object")
	}
	return e, nil
}
