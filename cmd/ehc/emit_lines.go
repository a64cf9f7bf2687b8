package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"ehc/controller/api"
)

const (
	maxLine       = 2 << 20 // bytes of one line of input: a payload has at most half of it
	maxBatch      = 256     // events sent at a time
	maxBatchBytes = 4 << 20 // of lines; a request may have twice as many
)

// lines reads events, one JSON object a line, in batches.
type lines struct {
	r   *bufio.Reader
	n   int    // lines read
	app string // see event

	// event reads one line; app is what -app says.
	event func(line []byte, app string) (api.Event, error)
}

// emitLines sends what comes from r, each line read by event. What has come is
// sent at once rather than kept until a batch is full. At a line that is no event
// it stops; the events before it are on disk then.
func (e *emitCommand) emitLines(ctx context.Context, client *api.Client, r io.Reader, event func([]byte, string) (api.Event, error)) error {
	in := lines{r: bufio.NewReaderSize(interruptible{ctx, r}, maxLine), app: e.app, event: event}
	for {
		events, err := in.batch()
		if len(events) > 0 {
			if err := e.emit(ctx, client, events); err != nil {
				return fmt.Errorf("lines up to %d: %w", in.n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// batch returns the next events: at least one, then as many as have come. With
// an error, io.EOF at the end, it returns the events before it.
func (l *lines) batch() ([]api.Event, error) {
	var events []api.Event
	for size := 0; len(events) < maxBatch && size < maxBatchBytes; {
		if len(events) > 0 && l.r.Buffered() == 0 {
			break
		}
		line, err := l.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return events, fmt.Errorf("line %d: over %d bytes", l.n+1, maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return events, err
		}
		l.n++
		if text := bytes.TrimSpace(line); len(text) > 0 {
			size += len(text)
			event, err := l.event(text, l.app)
			if err != nil {
				return events, fmt.Errorf("line %d: %w; the events before it are on disk", l.n, err)
			}
			events = append(events, event)
		}
		if err != nil {
			return events, err
		}
	}
	return events, nil
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
