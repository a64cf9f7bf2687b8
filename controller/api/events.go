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
		{pattern: "POST /v1/events", pace: waiting, serve: func(w http.ResponseWriter, r *http.Request) error {
			q, err := readJSON[EmitRequest](w, r)
			if err != nil {
				return err
			}
			ctx, cancel := waitOf(r.Context(), q)
			defer cancel()
			done, err := b.Emit(ctx, q)
			if err != nil {
				return err
			}
			return writeJSON(w, http.StatusOK, jsonType, done)
		}},
	}
}

// waitOf is ctx for as long as q says that it will wait.
func waitOf(ctx context.Context, q EmitRequest) (context.Context, context.CancelFunc) {
	if q.Wait != "delivered" {
		return context.WithTimeout(ctx, briefLimit)
	}
	if q.WaitMillis <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(min(q.WaitMillis, maxWait.Milliseconds()))*time.Millisecond)
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
	// Wait is "durable" (the default): answer when the events are on disk; or
	// "delivered": answer when every app has them, or after WaitMillis.
	Wait string `json:"wait,omitempty"`
	// WaitMillis bounds the wait, in milliseconds; 0 waits for as long as the
	// request lasts.
	WaitMillis int64 `json:"wait_millis,omitempty"`
}

// Emitted gives the ids of the events in order.
type Emitted struct {
	IDs       []string `json:"ids"`
	Delivered bool     `json:"delivered"` // with wait "delivered": all of them were
}
