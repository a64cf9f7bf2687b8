package controller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"ehc/transport/etf"
)

// maxPayloadDepth bounds how deep a payload's objects and arrays nest.
const maxPayloadDepth = 64

// eventTerm is an event as Elixir's handle_buffered_event/1 takes it:
//
//	%{event_id: "01J…", type: :increment_visit,
//	  payload: %{page_id: "/blog", delta: 1}, inserted_at: ~U[2026-11-23 10:00:00.000000Z]}
//
// Keys of the map and of the payload itself are atoms, as is the type. Deeper
// keys are binaries: a payload's own fields are few and known to both sides,
// while what lies below may be anybody's data, and a peer's atoms are never
// freed.
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
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("payload is not a JSON object")
	}
	m, err := object(d, 1, func(key string) etf.Term { return etf.Atom(key) })
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("payload is followed by more text")
	}
	return m, nil
}

// object reads what follows a "{". Of a key that stands twice the last counts,
// as JSON readers have it: a peer closes the link on a map with equal keys.
func object(d *json.Decoder, depth int, key func(string) etf.Term) (etf.Map, error) {
	m := etf.Map{}
	at := map[string]int{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		k := t.(string) // the decoder lets nothing else stand here
		v, err := value(d, depth)
		if err != nil {
			return nil, err
		}
		if i, twice := at[k]; twice {
			m[i].Value = v
			continue
		}
		at[k] = len(m)
		m = append(m, etf.Pair{Key: key(k), Value: v})
	}
	_, err := d.Token()
	return m, err
}

func array(d *json.Decoder, depth int) (etf.List, error) {
	l := etf.List{}
	for d.More() {
		v, err := value(d, depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	_, err := d.Token()
	return l, err
}

func value(d *json.Decoder, depth int) (etf.Term, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth >= maxPayloadDepth {
			return nil, fmt.Errorf("nested deeper than %d", maxPayloadDepth)
		}
		if t == '[' {
			return array(d, depth+1)
		}
		return object(d, depth+1, func(key string) etf.Term { return key })
	case json.Number:
		return number(t)
	case bool:
		if t {
			return etf.Atom("true"), nil
		}
		return etf.Atom("false"), nil
	case nil:
		return etf.Atom("nil"), nil
	default:
		return t, nil // a string, which is a binary
	}
}

// number keeps integers of any length whole; what has a point or an exponent is
// a float.
func number(n json.Number) (etf.Term, error) {
	if i, err := n.Int64(); err == nil && int64(int(i)) == i {
		return int(i), nil
	}
	if !strings.ContainsAny(n.String(), ".eE") {
		if i, ok := new(big.Int).SetString(n.String(), 10); ok {
			return i, nil
		}
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %s does not fit a float", n)
	}
	return f, nil
}
