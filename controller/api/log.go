package api

import (
	"context"
	"net/http"
	"net/url"
)

// LogBackend says and changes how the controller logs.
type LogBackend interface {
	Log(ctx context.Context) (Log, error)
	SetLog(ctx context.Context, l Log) (Log, error)
}

func logRoutes(b LogBackend) []route {
	return []route{
		newRead("GET /v1/log", nil, func(ctx context.Context, _ url.Values) (Log, error) { return b.Log(ctx) }),
		newWrite("PUT /v1/log", b.SetLog),
	}
}

// Log asks how the controller logs.
func (c *Client) Log(ctx context.Context) (Log, error) {
	return ask[Log](ctx, c, http.MethodGet, "/v1/log", nil)
}

// SetLog changes how the controller logs, until a file is put in force or the
// controller starts anew. A field that is empty stays as it is. It returns how it
// logs now.
func (c *Client) SetLog(ctx context.Context, l Log) (Log, error) {
	return ask[Log](ctx, c, http.MethodPut, "/v1/log", l)
}

// Log is how the controller logs.
type Log struct {
	Level  string `json:"level,omitempty"`  // trace, debug, info, warn or error: the least that is logged
	Format string `json:"format,omitempty"` // text or json
}
