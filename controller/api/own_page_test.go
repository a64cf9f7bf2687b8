package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestNoPageElsewhereReachesTheSocket asks as a browser does through a tunnel.
func TestNoPageElsewhereReachesTheSocket(t *testing.T) {
	h := OnSocket(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, c := range map[string]struct {
		host, origin, site, dest string
		read, write              int
	}{
		"the CLI":                    {"ehc", "", "", "", 200, 200},
		"curl":                       {"localhost", "", "", "", 200, 200},
		"no host":                    {"", "", "", "", 200, 200},
		"the page in a tunnel":       {"127.0.0.1:8400", "http://127.0.0.1:8400", "same-origin", "", 200, 200},
		"the page by IPv6":           {"[::1]:8400", "http://[::1]:8400", "same-origin", "", 200, 200},
		"a page elsewhere":           {"127.0.0.1:8400", "http://evil.example", "cross-site", "empty", 403, 403},
		"a picture of one":           {"127.0.0.1:8400", "", "cross-site", "image", 403, 403},
		"a frame of one":             {"127.0.0.1:8400", "", "cross-site", "iframe", 403, 403},
		"a link on one":              {"127.0.0.1:8400", "", "cross-site", "document", 200, 403},
		"an old browser's":           {"127.0.0.1:8400", "http://evil.example", "", "", 200, 403},
		"a page of this machine's":   {"localhost:8400", "http://localhost:3000", "same-site", "empty", 403, 403},
		"a name pointed here":        {"evil.example:8400", "http://evil.example:8400", "same-origin", "", 403, 403},
		"a name that only begins so": {"127.0.0.1.evil.example", "", "", "", 403, 403},
		"an address of a network's":  {"10.0.0.7:8400", "", "", "", 403, 403},
	} {
		for method, want := range map[string]int{http.MethodGet: c.read, http.MethodPost: c.write} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/v1/apply", strings.NewReader("{}"))
			r.Host = c.host
			r.Header.Set("Content-Type", "text/plain") // which a browser sends without asking first
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
				r.Header.Set("Sec-Fetch-Dest", c.dest)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: %s is answered %d %s, want %d", name, method, w.Code, w.Body, want)
			}
		}
	}
}
