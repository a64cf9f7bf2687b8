package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// interrupted runs one command line against h; h ends it as a person does, by Ctrl-C.
func interrupted(t *testing.T, h func(w http.ResponseWriter, r *http.Request, interrupt func()), args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	at := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, cancel) }), ReadHeaderTimeout: time.Minute,
	}}
	server.Start()
	defer server.Close()
	var o, e strings.Builder
	s := &streams{in: strings.NewReader(""), out: &o, err: &e, now: time.Now, env: func(name string) (string, bool) {
		return "unix:" + at, name == "EHC_API"
	}}
	code = execute(ctx, s, args)
	return code, o.String(), e.String()
}

func TestAWatchEndsWellWhenItIsInterrupted(t *testing.T) {
	code, out, errs := interrupted(t, func(w http.ResponseWriter, r *http.Request, interrupt func()) {
		w.Header().Set("Content-Type", "text/event-stream")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		interrupt()
		<-r.Context().Done()
	}, "watch", "metrics:*")
	if code != codeDone || errs != "" {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// TestEventsAreFollowedOverARestart: a connection that breaks is no end.
func TestEventsAreFollowedOverARestart(t *testing.T) {
	var questions atomic.Int32 // each connection has a goroutine of its own
	code, out, errs := interrupted(t, func(w http.ResponseWriter, r *http.Request, interrupt func()) {
		switch asked := questions.Add(1); asked {
		case 1, 3:
			_, _ = fmt.Fprintf(w, `{"entries":[{"id":%d,"count":1,"kind":"Kind%d"}],"last":%d}`, asked, asked, asked)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			interrupt()
			<-r.Context().Done()
		}
	}, "events", "-f")
	if code != codeDone || errs != "" || !strings.Contains(out, "Kind1") || !strings.Contains(out, "Kind3") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}
