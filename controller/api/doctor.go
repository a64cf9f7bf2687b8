package api

import (
	"context"
	"net/http"
	"net/url"
)

// DoctorBackend examines what has to be so for a cluster to come together.
type DoctorBackend interface {
	Doctor(ctx context.Context, app string) (Examination, error)
}

func doctorRoutes(b DoctorBackend) []route {
	return []route{
		newRead("GET /v1/doctor", []string{"app"}, func(ctx context.Context, v url.Values) (Examination, error) {
			return b.Doctor(ctx, v.Get("app"))
		}).waits(),
	}
}

// Doctor has the controller examine itself and one app, or all apps if app is
// empty. It asks name servers, EPMDs and nodes, which takes its time.
func (c *Client) Doctor(ctx context.Context, app string) (Examination, error) {
	return ask[Examination](ctx, c, http.MethodGet, "/v1/doctor?"+url.Values{"app": {app}}.Encode(), nil)
}

// Examination is what was found, in the order in which it was looked at.
type Examination struct {
	Findings []Finding `json:"findings"` // never null
}

// Finding is the outcome of one check.
type Finding struct {
	Level   string `json:"level"`            // "ok", "warning" or "failure"
	Check   string `json:"check"`            // a stable word, such as Handshake
	App     string `json:"app,omitempty"`    // empty: of ehc itself
	Node    string `json:"node,omitempty"`   // empty: of no node
	Reason  string `json:"reason,omitempty"` // a stable word, such as CookieRejected
	Message string `json:"message"`          // for people
	Fix     string `json:"fix,omitempty"`    // a command, or what to write into cluster.hcl
}
