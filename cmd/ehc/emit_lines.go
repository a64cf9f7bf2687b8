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
	maxLine       = 1 << 20 // bytes of one line of input
	maxBatch      = 256     // events sent at a time
	maxBatchBytes = 4 << 20 // of lines; a request may have twice as many
)

// lines reads events, one JSON object a line, in batches.
type lines struct {
	r   *bufio.Reader
	app string // for events that name none
	n   int    // lines read
}

// emitLines sends what comes on standard input. What has come is sent at once
// rather than kept until a batch is full. At a line that is no event it stops;
// the events before it are on disk then.
func (e *emitCommand) emitLines(ctx context.Context, client *api.Client) error {
	in := lines{r: bufio.NewReaderSize(interruptible{ctx, e.streams.in}, maxLine), app: e.app}
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
			event, err := l.event(text)
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

func (l *lines) event(text []byte) (api.Event, error) {
	var given struct {
		ID      string          `json:"id"`
		Type    string          `json:"type"`
		App     string          `json:"app"`
		Payload json.RawMessage `json:"payload"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&given); err != nil {
		return api.Event{}, fmt.Errorf("not an event: %w", err)
	}
	if d.More() {
		return api.Event{}, errors.New("more than one event")
	}
	if given.Payload == nil {
		given.Payload = json.RawMessage("{}")
	}
	if given.Type == "" || !isObject(string(given.Payload)) {
		return api.Event{}, errors.New("not an event: want a type and a payload that is an object")
	}
	return api.Event{ID: given.ID, Type: given.Type, App: orElse(given.App, l.app), Payload: given.Payload}, nil
}
