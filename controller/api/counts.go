package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// CountBackend answers counters.
type CountBackend interface {
	Counts(ctx context.Context, key string, limit int) (Counts, error)
}

func countRoutes(b CountBackend) []route {
	return []route{
		newRead("GET /v1/counts", []string{"key", "limit"}, func(ctx context.Context, v url.Values) (Counts, error) {
			limit, err := limitIn(v)
			if err != nil {
				return Counts{}, err
			}
			return b.Counts(ctx, v.Get("key"), limit)
		}),
	}
}

// Counts asks for the counter of a key, such as "visits:/blog", or for up to limit
// counters of a name, such as "visits"; key "" means of every name.
func (c *Client) Counts(ctx context.Context, key string, limit int) (Counts, error) {
	q := url.Values{"key": {key}, "limit": {strconv.Itoa(limit)}}
	return ask[Counts](ctx, c, http.MethodGet, "/v1/counts?"+q.Encode(), nil)
}

// Counts are counters of the events that other nodes have delivered, ordered by
// key: the one that was asked for, or those of a name, or all.
type Counts struct {
	Counts []Count `json:"counts"`         // never null
	More   bool    `json:"more,omitempty"` // there are others, beyond the limit
}

// Count is one counter: "visits:/blog" is of visits, for the page /blog. One that
// was asked for and never changed is there, with 0.
type Count struct {
	Key   string `json:"key"`
	Count int64  `json:"count"`
}
