package api

import (
	"context"
	"net/http"
	"time"
)

// SuspendBackend leaves apps alone.
type SuspendBackend interface {
	Suspend(ctx context.Context, r SuspendRequest) (Suspensions, error)
	Resume(ctx context.Context, r SuspendRequest) (Suspensions, error)
}

func suspendRoutes(b SuspendBackend) []route {
	return []route{
		newWrite("POST /v1/suspend", b.Suspend),
		newWrite("POST /v1/resume", b.Resume),
	}
}

// Suspend has an app left alone: nothing is connected, pruned, resynced or
// delivered for it until Resume, also after a restart.
func (c *Client) Suspend(ctx context.Context, r SuspendRequest) (Suspensions, error) {
	return ask[Suspensions](ctx, c, http.MethodPost, "/v1/suspend", r)
}

// Resume ends what Suspend began.
func (c *Client) Resume(ctx context.Context, r SuspendRequest) (Suspensions, error) {
	return ask[Suspensions](ctx, c, http.MethodPost, "/v1/resume", r)
}

// SuspendRequest names the app.
type SuspendRequest struct {
	App string `json:"app"`
}

// Suspensions are the apps that are left alone now, ordered by app.
type Suspensions struct {
	Suspended []Suspension `json:"suspended"` // never null
	Changed   bool         `json:"changed"`   // they were others before
}

// Suspension is an app that is left alone.
type Suspension struct {
	App   string    `json:"app"`
	Since time.Time `json:"since"`
}
