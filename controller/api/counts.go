package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// CountBackend answers counters.
type CountBackend interface {
	Counts(ctx context.Context, q CountsQuery) (Counts, error)
}

func countRoutes(b CountBackend) []route {
	return []route{
		newRead("GET /v1/counts", []string{"key", "app", "limit"}, func(ctx context.Context, v url.Values) (Counts, error) {
			limit, err := limitIn(v)
			if err != nil {
				return Counts{}, err
			}
			return b.Counts(ctx, CountsQuery{Key: v.Get("key"), App: v.Get("app"), Limit: limit})
		}).waits(),
	}
}

// Counts asks for counters.
func (c *Client) Counts(ctx context.Context, q CountsQuery) (Counts, error) {
	return ask[Counts](ctx, c, http.MethodGet, q.path(), nil)
}

// path is where q is asked.
func (q CountsQuery) path() string {
	v := url.Values{"key": {q.Key}, "limit": {strconv.Itoa(q.Limit)}}
	if q.App != "" {
		v.Set("app", q.App)
	}
	return "/v1/counts?" + v.Encode()
}

// CountsQuery asks for a counter by its key, such as "visits:/blog". Without an App
// the controller answers from what other nodes have delivered to it, if it has a
// receive block; else it asks the one app that there is to ask. Of its own counters
// it also lists those of a name, such as "visits", or all. It goes over the wire as
// the query ?key=&app=&limit=.
type CountsQuery struct {
	Key   string
	App   string // ask this app for the one counter
	Limit int    // at most so many
}

// Counts are counters, ordered by key: the one that was asked for, or those of a
// name, or all.
type Counts struct {
	Counts []Count `json:"counts"`         // never null
	More   bool    `json:"more,omitempty"` // there are others, beyond the limit
	// Node is the peer that has answered; empty if these are the controller's own
	// counters, of the events that other nodes have delivered to it.
	Node string `json:"node,omitempty"`
}

// Count is one counter: "visits:/blog" is of visits, for the page /blog. One that
// was asked for and never changed is there, with 0.
type Count struct {
	Key   string `json:"key"`
	Count int64  `json:"count"`
}
