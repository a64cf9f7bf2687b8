package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// OutboxBackend lists what waits and what is dead, and mends it.
type OutboxBackend interface {
	Outbox(ctx context.Context, q OutboxQuery) (Outbox, error)
	Retry(ctx context.Context, s OutboxSelection) (OutboxChange, error)
	Drop(ctx context.Context, s OutboxSelection) (OutboxChange, error)
}

func outboxRoutes(b OutboxBackend, w WatchBackend) []route {
	return []route{
		newWatched(w, "GET /v1/outbox", []string{"app", "id", "dead", "after", "limit"}, outboxQuery,
			func(ctx context.Context, q OutboxQuery, now Moment) (Outbox, error) {
				out, err := b.Outbox(ctx, q)
				out.Moment = now
				return out, err
			}),
		newWrite("POST /v1/outbox/retry", b.Retry).waits(),
		newWrite("POST /v1/outbox/drop", b.Drop).waits(),
	}
}

// Outbox lists what waits, or what is dead.
func (c *Client) Outbox(ctx context.Context, q OutboxQuery) (Outbox, error) {
	return askWatched[Outbox](ctx, c, "/v1/outbox?"+q.values().Encode(), q.Watch)
}

// Retry puts dead letters back into their queues.
func (c *Client) Retry(ctx context.Context, s OutboxSelection) (OutboxChange, error) {
	return ask[OutboxChange](ctx, c, http.MethodPost, "/v1/outbox/retry", s)
}

// Drop deletes dead letters, or what waits.
func (c *Client) Drop(ctx context.Context, s OutboxSelection) (OutboxChange, error) {
	return ask[OutboxChange](ctx, c, http.MethodPost, "/v1/outbox/drop", s)
}

func (q OutboxQuery) values() url.Values {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.App != "" {
		v.Set("app", q.App)
	}
	if q.ID != "" {
		v.Set("id", q.ID)
	}
	if q.Dead {
		v.Set("dead", "true")
	}
	if q.After > 0 {
		v.Set("after", strconv.FormatUint(q.After, 10))
	}
	return q.Watch.into(v)
}

// outboxQuery reads what OutboxQuery.values writes.
func outboxQuery(v url.Values) (q OutboxQuery, err error) {
	q = OutboxQuery{App: v.Get("app"), ID: v.Get("id")}
	if q.Limit, err = limitIn(v); err != nil {
		return q, err
	}
	if q.Dead, err = boolIn(v, "dead"); err != nil {
		return q, err
	}
	if q.After, err = numberIn(v, "after"); err != nil {
		return q, err
	}
	q.Watch, err = watchIn(v)
	return q, err
}

// OutboxApp is one app's queue.
type OutboxApp struct {
	App     string    `json:"app"`
	Pending int       `json:"pending"`
	Dead    int       `json:"dead"`
	Bytes   int64     `json:"bytes"`
	Oldest  time.Time `json:"oldest,omitzero"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
}

// OutboxQuery says which events to list. It goes over the wire as the query
// ?app=&id=&dead=true&after=&limit=.
type OutboxQuery struct {
	App   string // empty: of every app
	ID    string // only events of this id, waiting or dead; the rest does not count then
	Dead  bool   // the dead letters, not what waits
	After uint64 // only those with a greater number; needs an App
	Limit int    // at most so many; 0: as many as one answer has, which is 1000
	Watch Watch  // ask for it once there is something new
}

// OutboxSelection names dead letters: by id, or all of them. With Through, which
// only drop takes, it names what waits for App up to that number; 0 drops nothing
// and mends the counters of a damaged queue.
type OutboxSelection struct {
	App     string   `json:"app,omitempty"` // empty: of every app
	IDs     []string `json:"ids,omitempty"`
	All     bool     `json:"all,omitempty"`
	Through *uint64  `json:"through,omitempty"`
}

// OutboxChange says how many events were retried or dropped.
type OutboxChange struct {
	Events int `json:"events"`
}

// Outbox is what waits, or what is dead, oldest first.
type Outbox struct {
	Moment
	Apps   []OutboxApp `json:"apps"`
	Events []Event     `json:"events"`
}
