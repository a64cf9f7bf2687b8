package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Receipt says what became of an event.
type Receipt struct {
	ID      string
	Outcome string // OutcomeDelivered, OutcomeBuffered and so on
}

// Delivered says that every app has the event.
func (r Receipt) Delivered() bool { return r.Outcome == OutcomeDelivered }

// EmitOption changes how an event is emitted.
type EmitOption func(*EmitRequest)

// WithID gives the event an id of the caller's. One that was emitted before counts
// once.
func WithID(id string) EmitOption { return func(r *EmitRequest) { r.Events[0].ID = id } }

// ToApp emits to one app, not to every one that gets events.
func ToApp(app string) EmitOption { return func(r *EmitRequest) { r.Events[0].App = app } }

// WithoutWait returns once the event is on disk.
func WithoutWait() EmitOption { return func(r *EmitRequest) { r.Wait = WaitDurable } }

// UntilDelivered waits until every app has the event, for this time at most. When
// that is over the event waits on, and the Receipt says so.
func UntilDelivered(limit time.Duration) EmitOption {
	return func(r *EmitRequest) { r.Wait, r.WaitMillis = WaitDelivered, max(limit.Milliseconds(), 1) }
}

// IncrementVisit adds delta to the visits of a page. Unless an option says otherwise
// it waits for the delivery where that is about to happen; see WaitConnected.
func (c *Client) IncrementVisit(ctx context.Context, page string, delta int64, how ...EmitOption) (Receipt, error) {
	return c.Send(ctx, "increment_visit", map[string]any{"page_id": page, "delta": delta}, how...)
}

// UpdateLikes adds delta, which may be negative, to the likes of a post.
func (c *Client) UpdateLikes(ctx context.Context, post string, delta int64, how ...EmitOption) (Receipt, error) {
	return c.Send(ctx, "update_likes", map[string]any{"post_id": post, "delta": delta}, how...)
}

// AddComment adds a comment, which is what encoding/json makes an object of, to a
// post.
func (c *Client) AddComment(ctx context.Context, post string, comment any, how ...EmitOption) (Receipt, error) {
	return c.Send(ctx, "add_comment", map[string]any{"post_id": post, "comment": comment}, how...)
}

// Send emits an event of any type. The payload is what encoding/json makes an object
// of; its own keys are atoms for the app.
func (c *Client) Send(ctx context.Context, kind string, payload any, how ...EmitOption) (Receipt, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return Receipt{}, fmt.Errorf("encode payload of %s: %w", kind, err)
	}
	r := EmitRequest{Events: []Event{{ID: NewEventID(time.Now()), Type: kind, Payload: text}}, Wait: WaitConnected}
	for _, change := range how {
		change(&r)
	}
	done, err := again(ctx, func() (Emitted, error) {
		return askTimes[Emitted](ctx, c, 1, http.MethodPost, "/v1/events", r)
	})
	if err != nil {
		return Receipt{ID: r.Events[0].ID}, err
	}
	if len(done.IDs) != 1 || len(done.Outcomes) != 1 {
		return Receipt{ID: r.Events[0].ID}, fmt.Errorf("ask %s: the answer is about %d events", c.at, len(done.IDs))
	}
	return Receipt{ID: done.IDs[0], Outcome: done.Outcomes[0]}, nil
}

// RealtimeCount asks for a counter, such as "visits:/blog", as it is now; app may be
// empty, see CountsQuery. Nothing is answered from memory: ErrDisconnected if no node of
// the app is connected.
func (c *Client) RealtimeCount(ctx context.Context, app, key string) (int64, error) {
	got, err := again(ctx, func() (Counts, error) {
		return askTimes[Counts](ctx, c, 1, http.MethodGet, CountsQuery{Key: key, App: app, Limit: 1}.path(), nil)
	})
	if err != nil {
		return 0, err
	}
	if len(got.Counts) != 1 || got.Counts[0].Key != key {
		return 0, NewProblem(400, "key %q: want one counter, such as visits:/blog", key)
	}
	return got.Counts[0].Count, nil
}

// SubscribeToMetrics calls f with what is broadcast of a metric, such as
// "visits:/blog" or with * a pattern: the messages of the topic "metrics:" + metric. It
// returns as Watch does; the end of ctx ends the subscription.
func (c *Client) SubscribeToMetrics(ctx context.Context, metric string, f func(TopicBatch) error) error {
	return c.Watch(ctx, TopicQuery{Topic: "metrics:" + metric}, f)
}
