package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ehc/state"
)

func TestAProbeSaysWhatIsWrong(t *testing.T) {
	ok := Check{Name: "store", Do: func(context.Context) error { return nil }}
	bad := Check{Name: "loop", Do: func(context.Context) error { return errors.New("a pass is overdue by 40s") }}
	for name, c := range map[string]struct {
		path   string
		checks []Check
		status int
		text   string
	}{
		"well":             {"/healthz", []Check{ok}, 200, "ok store\n"},
		"one is not":       {"/readyz", []Check{ok, bad}, 503, "ok store\nfailed loop\n"},
		"nothing to check": {"/healthz", nil, 200, ""},
		"nothing else":     {"/v1/status", nil, 404, "404 page not found\n"},
	} {
		h := Handler(nil, Healthy(nil, c.checks...), Healthy(nil, c.checks...))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.text {
			t.Errorf("%s: %d %q, want %d %q", name, w.Code, w.Body, c.status, c.text)
		}
	}
}

// TestWhyACheckFailsIsForTheLog: a query's name is, and nobody proves who they are.
func TestWhyACheckFailsIsForTheLog(t *testing.T) {
	why := errors.New("not looked up yet: secret-app.internal")
	var told []string
	h := Healthy(func(check string, err error) { told = append(told, check+": "+err.Error()) },
		Check{Name: "lookups", Do: func(context.Context) error { return why }})
	ask := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		return w.Body.String()
	}
	for range 3 {
		if got := ask(); got != "failed lookups\n" {
			t.Errorf("answered %q", got)
		}
	}
	why = nil
	ask()
	why = errors.New("again")
	ask()
	if got := strings.Join(told, "; "); got != "lookups: not looked up yet: secret-app.internal; lookups: again" {
		t.Errorf("told: %s", got)
	}
}

func TestACheckThatHangsEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hangs := Check{Name: "store", Do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	w := httptest.NewRecorder()
	Healthy(nil, hangs).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/healthz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}

func TestTheLogChangesWhileItIsUsed(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, state.LogSpec{Level: "info"})
	sub := log.Named("links").With("app", "billing") // made before the change
	said := func() string {
		defer out.Reset()
		return out.String()
	}

	sub.Debug("quiet")
	sub.Info("up", "node", "a@h")
	if got := said(); strings.Contains(got, "quiet") || !strings.Contains(got, "[INFO]  ehc.links: up: app=billing node=a@h") {
		t.Errorf("text at info: %q", got)
	}
	log.Set(state.LogSpec{Level: "debug", JSON: true})
	sub.Debug("loud")
	var line map[string]any
	if err := json.Unmarshal([]byte(said()), &line); err != nil {
		t.Fatal(err)
	}
	if line["@level"] != "debug" || line["@module"] != "ehc.links" || line["app"] != "billing" || line["@message"] != "loud" {
		t.Errorf("JSON at debug: %v", line)
	}
	log.Set(state.LogSpec{Level: "error"})
	sub.Warn("quiet again")
	sub.Error("bad")
	if got := said(); strings.Contains(got, "again") || !strings.Contains(got, "bad") {
		t.Errorf("text at error: %q", got)
	}
}
