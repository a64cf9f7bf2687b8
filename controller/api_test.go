package controller

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/controller/api/apitest"
	"ehc/controller/history"
)

// served serves a world's controller, held against the description of the API, on
// a unix socket or over TCP, and returns a client of it.
func served(t *testing.T, w *world, tcp bool) (*api.Client, *apitest.Watcher, api.Address) {
	t.Helper()
	const secret = "a-token-of-the-tests"
	token, err := api.NewToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	plain := api.Handler(w.ctl, api.Options{Version: api.Version{Version: "test", Go: "go"}})
	d, err := apitest.Load(described(t, plain))
	if err != nil {
		t.Fatal(err)
	}
	watcher := d.Watch(plain)
	var h http.Handler = watcher
	dir, err := os.MkdirTemp("", "ehc-api-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a := api.SocketIn(dir)
	if tcp {
		a, h = api.TCP(netip.MustParseAddrPort("127.0.0.1:0"), false), api.Authorized(watcher, token)
	}
	l, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if tcp {
		if a, err = api.ParseAddress("http://" + l.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, h) }()
	c := api.NewClient(a, api.WithToken(token))
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c, watcher, a
}

// described is the OpenAPI file as h serves it.
func described(t *testing.T, h http.Handler) []byte {
	t.Helper()
	var got answer
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/openapi.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(&got, r)
	return got.body
}

type answer struct {
	header http.Header
	body   []byte
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}
func (a *answer) Write(b []byte) (int, error) { a.body = append(a.body, b...); return len(b), nil }
func (a *answer) WriteHeader(int)             {}

// TestARealControllerAnswersAsDescribed asks everything of a controller through the
// client, and holds each exchange against the OpenAPI file.
func TestARealControllerAnswersAsDescribed(t *testing.T) {
	for name, tcp := range map[string]bool{"unix": false, "TCP": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, callText)
			c, watcher, _ := served(t, w, tcp)
			askAll(t, w, c)
			for _, err := range watcher.Faults() {
				t.Error(err)
			}
			// What the client has no method for, and what is not the controller's.
			elsewhere := map[string]bool{
				"GET /v1/openapi.yaml": true, "GET /v1/history/follow": true,
				"GET /v1/topics": true, // asked above; a stream is answered when it ends
				"GET /metrics":   true, "GET /healthz": true, "GET /readyz": true,
			}
			for _, name := range watcher.Unanswered() {
				if !elsewhere[name] {
					t.Errorf("%s is not asked for: add it to askAll, or to elsewhere with a reason", name)
				}
			}
		})
	}
}

// must is what an API call returned.
func must[A any](t *testing.T) func(a A, err error) A {
	return func(a A, err error) A {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// askAll asks everything that there is to ask, the node of app a being up in
// between.
func askAll(t *testing.T, w *world, c *api.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	w.look.nodes["new.internal"] = nil
	w.callable("a1@127.0.0.1")

	// While nothing is connected.
	s := must[api.Status](t)(c.Status(ctx))
	if s.Index == 0 || s.Revision == 0 {
		t.Errorf("index %d, revision %d", s.Index, s.Revision)
	}
	sent := must[api.Emitted](t)(c.Emit(ctx, api.EmitRequest{Events: []api.Event{{Type: "increment_visit"}}}))
	one := must[api.Outbox](t)(c.Outbox(ctx, api.OutboxQuery{ID: sent.IDs[0]}))
	if len(one.Events) != 1 || one.Apps[0].Pending != 1 {
		t.Errorf("outbox = %+v", one)
	}
	n := 0
	streamed := func(yield func(api.Event) bool) {
		for range 300 {
			if !yield(api.Event{Type: "update_likes", Payload: json.RawMessage(`{"post_id":"7","delta":1}`)}) {
				return
			}
		}
	}
	if err := c.EmitStream(ctx, streamed, api.EmitRequest{}, func(api.EmittedLine) error { n++; return nil }); err != nil || n != 300 {
		t.Errorf("%d answers, %v", n, err)
	}
	must[api.OutboxChange](t)(c.Retry(ctx, api.OutboxSelection{All: true}))
	through := one.Events[0].Seq
	if d := must[api.OutboxChange](t)(c.Drop(ctx, api.OutboxSelection{App: "a", Through: &through})); d.Events != 1 {
		t.Errorf("dropped %+v", d)
	}

	// A node comes up, which a watch tells.
	w.list("a1@127.0.0.1")
	up := func() bool {
		nodes := must[api.Nodes](t)(c.Nodes(ctx, "a", api.Watch{Seen: api.Moment{Revision: s.Revision}, Wait: 10 * time.Second}))
		s.Revision = nodes.Revision
		return len(nodes.Nodes) == 1 && nodes.Nodes[0].Phase == "up"
	}
	for !up() {
	}
	must[api.Apps](t)(c.Apps(ctx, api.Watch{}))
	must[api.Plan](t)(c.WatchPlan(ctx, api.Watch{}))
	must[api.Outbox](t)(c.Outbox(ctx, api.OutboxQuery{App: "a", Dead: true, Watch: api.Watch{Seen: api.Moment{Revision: 1}}}))
	must[api.Called](t)(c.Call(ctx, api.CallRequest{Function: "Remote.Metrics.get_count", Args: []json.RawMessage{[]byte(`"visits:/"`)}}))
	must[api.Counts](t)(c.Counts(ctx, api.CountsQuery{Key: "visits:/", App: "a", Limit: 1}))
	if e := must[api.Examination](t)(c.Doctor(ctx, "a")); len(e.Findings) < 8 {
		t.Errorf("the doctor found %+v", e)
	}
	must[api.Suspensions](t)(c.Suspend(ctx, api.SuspendRequest{App: "a"}))
	must[api.Suspensions](t)(c.Resume(ctx, api.SuspendRequest{App: "a"}))
	must[api.Log](t)(c.Log(ctx))
	if l := must[api.Log](t)(c.SetLog(ctx, api.Log{Level: "debug"})); l != (api.Log{Level: "debug", Format: "text"}) {
		t.Errorf("it logs %+v", l)
	}

	// Another file.
	text := strings.Replace(callText, "a.internal", "new.internal", 1) + "\npubsub \"A.PubSub\" { topics = [\"metrics:*\"] }\n"
	must[api.Plan](t)(c.Plan(ctx, api.PlanRequest{File: "cluster.hcl", Text: text}))
	var moved *api.Problem
	if _, err := c.Apply(ctx, api.ApplyRequest{Text: text, CheckIndex: 1 << 40}); !errors.As(err, &moved) || moved.Status != http.StatusConflict {
		t.Errorf("an apply at another index: %v", err)
	}
	must[api.Applied](t)(c.Apply(ctx, api.ApplyRequest{File: "cluster.hcl", Text: text}))
	must[api.Broadcasted](t)(c.Broadcast(ctx, api.BroadcastRequest{Topic: "metrics:x", Message: []byte(`[1]`)}))
	err := c.Watch(ctx, api.TopicQuery{Topic: "metrics:*", After: "the-beginning"}, func(b api.TopicBatch) error {
		if len(b.Messages) > 0 {
			return errors.New(string(b.Messages[0].Message))
		}
		return nil
	})
	if err == nil || err.Error() != "[1]" {
		t.Errorf("what was broadcast came as %v", err)
	}
	if _, err := c.Plan(ctx, api.PlanRequest{Text: "nod {}"}); !errors.As(err, &moved) || len(moved.Diagnostics) == 0 {
		t.Errorf("a file with faults: %v", err)
	}
	h := must[api.History](t)(c.History(ctx, api.HistoryQuery{Limit: 1000}))
	kinds := map[string]bool{}
	for _, e := range h.Entries {
		kinds[e.Kind] = true
	}
	for _, kind := range []string{"Started", "Buffering", "Listed", "Connected", "Suspended", "Resumed", "Applied"} {
		if !kinds[kind] {
			t.Errorf("the history has no %s: %v", kind, kinds)
		}
	}
	must[api.Version](t)(c.Version(ctx))
	must[api.Log](t)(c.Log(ctx))
	if l := must[api.Log](t)(c.SetLog(ctx, api.Log{Level: "debug"})); l.Level != "debug" {
		t.Errorf("log = %+v", l)
	}
}

func TestAFollowerIsToldOfWhatHappens(t *testing.T) {
	w := newWorld(t)
	c, watcher, a := served(t, w, false)
	conn, err := net.Dial("unix", strings.TrimPrefix(a.String(), "unix:"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /v1/history/follow HTTP/1.1\r\nHost: ehc\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	stream := bufio.NewReader(res.Body)
	if first, err := stream.ReadString('\n'); err != nil || !strings.HasPrefix(first, "retry:") {
		t.Fatalf("%q, %v", first, err)
	}
	polled := make(chan string, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	go func() {
		_ = c.FollowHistory(ctx, api.HistoryQuery{Limit: 100}, func(h api.History) error {
			for _, e := range h.Entries {
				if e.Kind == "LookupFailed" {
					polled <- e.Message
					return context.Canceled
				}
			}
			return nil
		})
	}()
	w.unlist() // its lookup fails
	const want = "a.internal: SERVFAIL from [fdaa::3]:53"
	for {
		line, err := stream.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") && strings.Contains(line, `"LookupFailed"`) && strings.Contains(line, want) {
			break
		}
	}
	if got := <-polled; got != want {
		t.Errorf("polled %q", got)
	}
	for _, err := range watcher.Faults() {
		t.Error(err)
	}
}

func TestTheDescriptionNamesEveryKindOfTheHistory(t *testing.T) {
	text := string(described(t, api.Handler(struct{ api.Backend }{}, api.Options{})))
	source, err := os.ReadFile("history/history.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := history.Kinds()
	if n := strings.Count(string(source), " Kind = "); n != len(kinds) {
		t.Errorf("%d constants, and %d of Kinds", n, len(kinds))
	}
	for _, k := range kinds {
		if !regexp.MustCompile(`\b` + string(k) + `\b`).MatchString(text) {
			t.Errorf("%s is not described", k)
		}
	}
}
