package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// EventBackend takes events.
type EventBackend interface {
	Emit(ctx context.Context, r EmitRequest) (Emitted, error)
}

func eventRoutes(b EventBackend) []route {
	return []route{
		newWrite("POST /v1/events", b.Emit).waits(),
	}
}

// Emit enqueues events. Events without an id are given one by the controller,
// so a caller that will try again after an error should set them.
func (c *Client) Emit(ctx context.Context, r EmitRequest) (Emitted, error) {
	return ask[Emitted](ctx, c, http.MethodPost, "/v1/events", r)
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
