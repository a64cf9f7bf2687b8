package controller

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ehc/controller/termjson"
	"ehc/transport/etf"
)

// eventTerm is an event as Elixir's handle_buffered_event/1 takes it:
//
//	%{event_id: "01J…", type: :increment_visit,
//	  payload: %{page_id: "/blog", delta: 1}, inserted_at: ~U[2026-11-23 10:00:00.000000Z]}
//
// Keys of the map and of the payload itself are atoms, as is the type. Deeper
// keys are binaries: see termjson.Fields.
func eventTerm(id, kind string, payload json.RawMessage, insertedAt time.Time) (etf.Term, error) {
	p, err := payloadTerm(payload)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", id, err)
	}
	at, err := etf.From(insertedAt)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", id, err)
	}
	return etf.Map{
		{Key: etf.Atom("event_id"), Value: id},
		{Key: etf.Atom("type"), Value: etf.Atom(kind)},
		{Key: etf.Atom("payload"), Value: p},
		{Key: etf.Atom("inserted_at"), Value: at},
	}, nil
}

// payloadTerm is a JSON object as an Elixir map, its own keys as atoms.
func payloadTerm(text json.RawMessage) (etf.Term, error) {
	m, err := termjson.Fields(text)
	if errors.Is(err, termjson.ErrNoObject) {
		return nil, errors.New("payload is not a JSON object")
	}
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return m, nil
}

// encoded is t as bytes that go into any term.
func encoded(t etf.Term) (etf.Term, error) {
	b, err := etf.Append(nil, t)
	if err != nil {
		return nil, err
	}
	return etf.Raw(b), nil
}
