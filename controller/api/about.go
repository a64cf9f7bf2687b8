package api

import (
	"context"
	_ "embed" // openapi.yaml
	"net/http"
	"net/url"
)

//go:embed openapi.yaml
var description []byte

// aboutRoutes tell of the controller's build and of the API itself.
func aboutRoutes(v Version) []route {
	return []route{
		newRead("GET /v1/version", nil, func(context.Context, url.Values) (Version, error) { return v, nil }),
		{pattern: "GET /v1/openapi.yaml", serve: func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(description) // a reader that left needs no answer
			return nil
		}},
	}
}

// machineRoutes tell machines about the controller, if h does.
func machineRoutes(h http.Handler) []route {
	if h == nil {
		return nil
	}
	var all []route
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		all = append(all, route{pattern: "GET " + path, anyQuery: true, serve: func(w http.ResponseWriter, r *http.Request) error {
			h.ServeHTTP(w, r)
			return nil
		}})
	}
	return all
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
