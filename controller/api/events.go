package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// EventBackend takes events.
type EventBackend interface {
	Emit(ctx context.Context, r EmitRequest) (Emitted, error)
}

func eventRoutes(b EventBackend) []route {
	return []route{{
		pattern: "POST /v1/events", query: []string{"wait", "wait_millis"}, pace: waiting, feeds: isLines,
		serve: func(w http.ResponseWriter, r *http.Request) error {
			how, err := waitingIn(r.URL.Query())
			if err != nil {
				return err
			}
			if isLines(r) {
				return emitLines(w, r, b, how)
			}
			q, err := readJSON[emitBody](w, r)
			if err != nil {
				return err
			}
			ask, err := q.request(how)
			if err != nil {
				return err
			}
			done, err := b.Emit(r.Context(), ask)
			if err != nil {
				return err
			}
			return writeJSON(w, http.StatusOK, jsonType, done)
		},
	}}
}

// emitBody is an EmitRequest, or one Event.
type emitBody struct {
	EmitRequest
	Event
}

// request is what the body asks for; how says for what to wait where it does not.
func (q emitBody) request(how EmitRequest) (EmitRequest, error) {
	r := q.EmitRequest
	one := q.Type != "" || q.ID != "" || q.Payload != nil
	switch {
	case one == (r.Events != nil):
		return r, NewProblem(http.StatusBadRequest, "read request body: want events, or one event with a type")
	case one && (r.Wait != "" || r.WaitMillis != 0):
		return r, NewProblem(http.StatusBadRequest, "read request body: with one event, for what to wait is a parameter: ?wait=")
	case one:
		r.Events = []Event{q.Event}
	}
	if r.Wait == "" {
		r.Wait, r.WaitMillis = how.Wait, how.WaitMillis
	}
	return r, nil
}

// waitingIn reads for what to wait from a query.
func waitingIn(v url.Values) (EmitRequest, error) {
	millis, err := numberIn(v, "wait_millis")
	r := EmitRequest{Wait: v.Get("wait"), WaitMillis: int64(millis)}
	if err == nil && !slices.Contains([]string{"", WaitDurable, WaitConnected, WaitDelivered}, r.Wait) {
		err = NewProblem(http.StatusBadRequest, "wait %q: want durable, connected or delivered", r.Wait)
	}
	return r, err
}

// Emit enqueues events, all or none. Those without an id are given one here, so that
// it can ask again when a connection breaks without an event counting twice. A
// caller that is to ask again itself, or that may end meanwhile, sets them before:
// see NewEventID.
func (c *Client) Emit(ctx context.Context, r EmitRequest) (Emitted, error) {
	r.Events = minted(r.Events, time.Now())
	return askTimes[Emitted](ctx, c, tries, http.MethodPost, "/v1/events", r)
}

// Event is an event to emit, one that waits, or a dead letter.
type Event struct {
	ID      string          `json:"id,omitempty"` // minted if empty
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"` // an object; left out, an empty one

	App        string    `json:"app,omitempty"` // to emit: only to this app; empty: to every app that gets events
	Seq        uint64    `json:"seq,omitempty"`
	InsertedAt time.Time `json:"inserted_at,omitzero"` // to emit: now if it is zero
	Tries      int       `json:"tries,omitempty"`
	Error      string    `json:"error,omitempty"` // why the last try failed

	Reason string    `json:"reason,omitempty"` // of a dead letter: a stable word, such as HandlerRefused
	DiedAt time.Time `json:"died_at,omitzero"` // of a dead letter
}

// EmitRequest enqueues events, all or none.
type EmitRequest struct {
	Events []Event `json:"events"`
	// Wait is for what to wait, once they are on disk: WaitDurable (the default),
	// WaitConnected or WaitDelivered.
	Wait string `json:"wait,omitempty"`
	// WaitMillis bounds the wait for delivery, in milliseconds. 0 is as long as the
	// request lasts, and with WaitConnected rpc.timeout of cluster.hcl.
	WaitMillis int64 `json:"wait_millis,omitempty"`
}

// For what an EmitRequest waits.
const (
	// WaitDurable answers when the events are on disk.
	WaitDurable = "durable"
	// WaitConnected waits for the delivery if that is about to happen: it answers at
	// once where no node is connected, events have piled up or the app refuses them.
	WaitConnected = "connected"
	// WaitDelivered answers when every app has them.
	WaitDelivered = "delivered"
)

// Emitted says what became of events that are on disk.
type Emitted struct {
	IDs       []string `json:"ids"`       // in the order of the events
	Outcomes  []string `json:"outcomes"`  // the same; of an event for several apps the worst
	Delivered bool     `json:"delivered"` // every app has all of them
}

// What became of an event.
const (
	OutcomeDelivered = "delivered" // every app has it
	OutcomeBuffered  = "buffered"  // it waits, and will be delivered
	OutcomeDead      = "dead"      // it was emitted before, and is a dead letter
	OutcomeDropped   = "dropped"   // it was emitted before, and a person dropped it
)
