package api

import (
	"context"
	"net/http"
	"net/url"
)

// aboutRoutes tell of the controller itself.
func aboutRoutes(v Version) []route {
	return []route{
		newRead("GET /v1/version", nil, func(context.Context, url.Values) (Version, error) { return v, nil }),
	}
}

// Version asks for the controller's build.
func (c *Client) Version(ctx context.Context) (Version, error) {
	return ask[Version](ctx, c, http.MethodGet, "/v1/version", nil)
}

// Version is the controller's build.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}
