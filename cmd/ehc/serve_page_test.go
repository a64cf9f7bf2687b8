package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
)

// TestThePageNeedsNoTokenAndAllElseDoes asks where the API is served over TCP.
func TestThePageNeedsNoTokenAndAllElseDoes(t *testing.T) {
	token, err := api.NewToken(testToken)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	tells := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "tells") })
	go func() {
		h := api.Handler(struct{ api.Backend }{}, api.Options{Machines: tells})
		done <- serve(ctx, []endpoint{{listen: l, guarded: true}}, token, h, hclog.NewNullLogger())
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string][2]int{ // without the token, and with it
		"/": {200, 200}, "/ui/main.js": {200, 200}, "/metrics": {401, 200}, "/healthz": {401, 200},
		"/v1/version": {401, 200}, "/v1/status/": {401, 404}, "/ui/": {401, 404},
	} {
		for i, auth := range []string{"", "Bearer " + testToken} {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Close = true
			r.Header.Set("Authorization", auth)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != want[i] {
				t.Errorf("%s with %q: %d, want %d", path, auth, res.StatusCode, want[i])
			}
		}
	}
}
