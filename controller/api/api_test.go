package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server on a unix socket and returns its address. It ends with the
// test.
func serve(t *testing.T, h http.Handler) Address {
	t.Helper()
	a := SocketIn(shortDir(t))
	l, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, h)
	return a
}

func serveOn(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// shortDir is a folder for a socket, whose path must be short.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ehc-api-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestBadRequestsAreProblems(t *testing.T) {
	a := serve(t, Handler(struct{ Backend }{}, Options{}))
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"no such endpoint":         {"GET", "/v1/nothing", "", 404},
		"a body that is cut":       {"POST", "/v1/plan", `{"file":`, 400},
		"an unknown field":         {"POST", "/v1/plan", `{"fil":"x"}`, 400},
		"a body that is huge":      {"POST", "/v1/plan", `{"text":"` + strings.Repeat("x", maxBody) + `"}`, 413},
		"a list that is huge":      {"POST", "/v1/events", `{"events":[` + strings.Repeat("{},", maxList) + `{}]}`, 413},
		"a limit that is none":     {"GET", "/v1/outbox?limit=many", "", 400},
		"a limit out of bounds":    {"GET", "/v1/outbox?limit=1000000", "", 400},
		"two values":               {"POST", "/v1/plan", `{} {}`, 400},
		"no body":                  {"POST", "/v1/plan", "", 400},
		"a wrong method":           {"PUT", "/v1/plan", "{}", 405},
		"a path that is not clean": {"GET", "/v1//status", "", 404},
	} {
		res, text := send(t, clientOf(t, a), c.method, c.path, "", c.body)
		kind := res.Header.Get("Content-Type")
		if res.StatusCode != c.status || kind != problemType || !strings.Contains(string(text), `"detail":`) {
			t.Errorf("%s: %d %s %s, want %d", name, res.StatusCode, kind, text, c.status)
		}
		if allow := res.Header.Get("Allow"); (allow != "") != (c.status == 405) {
			t.Errorf("%s: Allow %q", name, allow)
		}
	}
}

// What ends with its context may have been done all the same.
func TestTheEndOfARequestLeavesItsOutcomeOpen(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		r := newWrite("POST /", func(context.Context, Count) (Count, error) { return Count{}, fmt.Errorf("do it: %w", cause) })
		c := clientOf(t, serve(t, Options{}.guarded(r, newSlots())))
		_, err := askTimes[Count](t.Context(), c, 1, http.MethodPost, "/", Count{})
		var p *Problem
		if !errors.As(err, &p) || p.Status != 503 || !errors.Is(err, ErrUnknownOutcome) || errors.Is(err, ErrDisconnected) {
			t.Errorf("%v is answered %v", cause, err)
		}
	}
}

func TestAPanicIsAProblem(t *testing.T) {
	told := make(chan string, 1)
	o := Options{Panicked: func(route string, cause any, stack []byte) {
		told <- fmt.Sprint(route, cause, strings.Contains(string(stack), "TestAPanicIsAProblem"))
	}}
	a := serve(t, o.guarded(newRead("GET /", nil, func(context.Context, url.Values) (any, error) { panic("oops") }), slots{brief: make(chan struct{}, 1), streaming: make(chan struct{}, 1)}))
	for range 2 { // its slot is free again
		res, text := send(t, clientOf(t, a), "GET", "/", "", "")
		if res.StatusCode != 500 || res.Header.Get("Content-Type") != problemType || strings.Contains(string(text), "oops") {
			t.Errorf("%s %s", res.Status, text)
		}
		if got := <-told; got != "GET /oopstrue" {
			t.Errorf("told of %q", got)
		}
	}
}

func TestTheSocketIsItsOwnersOnly(t *testing.T) {
	a := serve(t, Handler(struct{ Backend }{}, Options{}))
	info, err := os.Stat(a.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestListenReplacesOnlyADeadSocket(t *testing.T) {
	live := serve(t, Handler(struct{ Backend }{}, Options{}))
	if l, err := live.Listen(); err == nil {
		_ = l.Close()
		t.Error("took the socket of a live controller")
	}
	dir := t.TempDir()
	file := Address{path: filepath.Join(dir, "f")}
	if err := os.WriteFile(file.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := file.Listen(); err == nil {
		_ = l.Close()
		t.Error("replaced a file that is no socket")
	}
	dead := Address{path: filepath.Join(filepath.Dir(live.path), "dead.sock")}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead.path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as a kill -9 leaves it
	_ = l.Close()
	again, err := dead.Listen()
	if err != nil {
		t.Fatalf("a dead socket is in the way: %v", err)
	}
	_ = again.Close()
}

// TestABusySocketIsNotADeadOne: with all places before its accept taken, Linux
// refuses a dial otherwise than where nobody listens.
func TestABusySocketIsNotADeadOne(t *testing.T) {
	busy := SocketIn(shortDir(t))
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: busy.path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		c, err := net.Dial("unix", busy.path)
		if err != nil {
			break
		}
		defer func() { _ = c.Close() }()
	}
	if l, err := busy.Listen(); err == nil {
		_ = l.Close()
		t.Error("took the socket of a busy controller")
	}
	if _, err := os.Stat(busy.path); err != nil {
		t.Errorf("the socket of a busy controller is gone: %v", err)
	}
}

func TestAClientSaysThatNobodyAnswers(t *testing.T) {
	c := NewClient(SocketIn(t.TempDir()))
	defer c.Close()
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoController) {
		t.Errorf("error = %v, want ErrNoController", err)
	}
}

func TestAPathThatIsTooLongForASocketIsNamed(t *testing.T) {
	folder := "/tmp/" + strings.Repeat("x", longestPath)
	_, err := SocketIn(folder).Listen()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("and that of a socket has %d at most", longestPath)) {
		t.Errorf("error = %v", err)
	}
}

func TestAClientSaysThatAControllerIsLate(t *testing.T) {
	at := SocketIn(t.TempDir())
	l, err := net.Listen("unix", at.path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it takes connections, as a stopped process does, and answers none
	c := NewClient(at)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = c.Status(ctx)
	if !errors.Is(err, ErrLate) || !errors.Is(err, context.DeadlineExceeded) || err.Error() != "the controller at "+at.String()+" has not answered in time" {
		t.Errorf("error = %v", err)
	}
}

func TestParseAddress(t *testing.T) {
	for text, ok := range map[string]bool{
		"unix:/run/ehc.sock": true, "unix:": false, "/run/ehc.sock": false, "": false,
		"http://h:1": true, "https://h:1": true, "http://[fdaa::1]:8400": true, "http://h": false, "http://:1": false,
		"http://h:x": false, "http://h:70000": false, "http://h:1/v1": false, "http://h:1?x=1": false, "ftp://h:1": false,
	} {
		a, err := ParseAddress(text)
		if (err == nil) != ok || ok && a.String() != text {
			t.Errorf("ParseAddress(%q) = %v, %v", text, a, err)
		}
	}
	if _, err := ParseAddress("http://user:hush@h:1"); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("an address with a password: %v", err)
	}
}
