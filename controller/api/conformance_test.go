package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ehc/controller/api/apitest"
)

// asked is one request and the status that it gets. One that gets a 400 for what
// it says must be against the schemas, and any other as they say.
type asked struct {
	route  string // the pattern of the route that it is for
	path   string // if it is not the route's
	body   string
	kind   string // of the body; JSON if it is empty
	status int
}

// exchanges has every route of the API at least once, answered with 200.
func exchanges() []asked {
	return []asked{
		{route: "GET /v1/status", status: 200},
		{route: "GET /v1/status", path: "/v1/status?all=true", status: 400},
		{route: "GET /v1/status", path: "/v1/status?index=417&revision=7000&wait=1s", status: 200},
		{route: "GET /v1/status", path: "/v1/status?index=last", status: 400},
		{route: "GET /v1/status", path: "/v1/status?wait=long", status: 400},
		{route: "GET /v1/status", path: "/v1/status?revision=1&wait=11m", status: 400},
		{route: "GET /v1/nodes", status: 200},
		{route: "GET /v1/nodes", path: "/v1/nodes?app=a&revision=7", status: 200},
		{route: "GET /v1/nodes", path: "/v1/nodes?revision=-7", status: 400},
		{route: "GET /v1/apps", status: 200},
		{route: "GET /v1/apps", path: "/v1/apps?app=a", status: 400},
		{route: "GET /v1/history", path: "/v1/history?after=5&limit=7&app=a&node=a1@127.0.0.1&wait=1s", status: 200},
		{route: "GET /v1/history", path: "/v1/history?after=yesterday", status: 400},
		{route: "GET /v1/history", path: "/v1/history?wait=-1s", status: 400},
		{route: "GET /v1/history/follow", path: "/v1/history/follow?after=1", status: 200},
		{route: "GET /v1/history/follow", path: "/v1/history/follow?limit=1", status: 400},
		{route: "GET /v1/plan", path: "/v1/plan?index=417", status: 200},
		{route: "GET /v1/plan", path: "/v1/plan?text=x", status: 400},
		{route: "POST /v1/plan", body: `{"file":"cluster.hcl","text":"node {}"}`, status: 200},
		{route: "POST /v1/plan", body: `{"target":"a","probe":true}`, status: 200},
		{route: "POST /v1/plan", body: `{"probe":"yes"}`, status: 400},
		{route: "POST /v1/plan", body: `{}`, status: 200},
		{route: "POST /v1/plan", body: `{"text":"faulty"}`, status: 422},
		{route: "POST /v1/plan", body: `{"txt":""}`, status: 400},
		{route: "POST /v1/plan", body: `[]`, status: 400},
		{route: "POST /v1/apply", body: `{"text":"node {}","check_index":418,"prune_held":true,"target":"a"}`, status: 200},
		{route: "POST /v1/apply", body: `{"check_index":1}`, status: 409},
		{route: "POST /v1/apply", body: `{"check_index":-1}`, status: 400},
		{route: "POST /v1/apply", body: `{"prune_held":"yes"}`, status: 400},
		{route: "POST /v1/suspend", body: `{"app":"a"}`, status: 200},
		{route: "POST /v1/suspend", body: `{"app":"nobodys"}`, status: 404},
		{route: "POST /v1/suspend", body: `{"app":1}`, status: 400},
		{route: "GET /v1/doctor", status: 200},
		{route: "GET /v1/doctor", path: "/v1/doctor?app=a", status: 200},
		{route: "GET /v1/doctor", path: "/v1/doctor?node=a", status: 400},
		{route: "GET /v1/log", status: 200},
		{route: "PUT /v1/log", body: `{"level":"debug","format":"json"}`, status: 200},
		{route: "PUT /v1/log", body: `{"level":7}`, status: 400},
		{route: "PUT /v1/log", body: `{"format":"json","colour":true}`, status: 400},
		{route: "POST /v1/resume", body: `{"app":"a"}`, status: 200},
		{route: "POST /v1/events", body: `{"events":[{"id":"1","type":"x","payload":{"a":[1,null]},"app":"a","inserted_at":"2026-11-27T05:00:00Z"},{"type":"y"}],"wait":"delivered","wait_millis":5}`, status: 200},
		{route: "POST /v1/events", body: `{"events":[{"type":"full"}]}`, status: 429},
		{route: "POST /v1/events", body: `{"events":{}}`, status: 400},
		{route: "POST /v1/events", body: `{"events":[{"type":"x","inserted_at":"yesterday"}]}`, status: 400},
		{route: "POST /v1/events", path: "/v1/events?wait=delivered&wait_millis=7", body: `{"type":"x","payload":{}}`, status: 200},
		{route: "POST /v1/events", path: "/v1/events?wait=forever", body: `{"type":"x"}`, status: 400},
		{route: "POST /v1/events", body: `{"type":"x","wait":"delivered"}`, status: 400},
		{route: "POST /v1/events", body: `{"type":"x","events":[]}`, status: 400},
		{route: "POST /v1/events", body: `{"events":null}`, status: 400},
		{route: "POST /v1/events", body: `{}`, status: 400},
		{route: "POST /v1/events", kind: linesType, body: "{\"type\":\"x\"}\n\n{\"id\":\"7\",\"type\":\"y\",\"payload\":{\"a\":1}}", status: 200},
		{route: "POST /v1/events", kind: linesType, body: "{\"type\":\"x\"}\n{\"type\":\"full\"}\n", status: 200},
		{route: "POST /v1/events", kind: linesType, body: "{\"type\":\"full\"}\n", status: 429},
		{route: "POST /v1/events", kind: linesType, body: "{\"typ\":\"x\"}\n", status: 400},
		{route: "POST /v1/events", kind: linesType, body: "{\"type\":\"x\"} {}\n", status: 400},
		{route: "GET /v1/outbox", status: 200},
		{route: "GET /v1/outbox", path: "/v1/outbox?app=a&id=01J&dead=true&after=7&limit=10000", status: 200},
		{route: "GET /v1/outbox", path: "/v1/outbox?limit=many", status: 400},
		{route: "GET /v1/outbox", path: "/v1/outbox?limit=10001", status: 400},
		{route: "GET /v1/outbox", path: "/v1/outbox?after=-1", status: 400},
		{route: "GET /v1/outbox", path: "/v1/outbox?after=9007199254740992", status: 400},
		{route: "GET /v1/outbox", path: "/v1/outbox?dead=1", status: 400},
		{route: "GET /v1/outbox", path: "/v1/outbox?app=a&app=b", status: 400},
		{route: "POST /v1/outbox/retry", body: `{"app":"a","ids":["01J"]}`, status: 200},
		{route: "POST /v1/outbox/retry", body: `{"ids":"01J"}`, status: 400},
		{route: "POST /v1/outbox/drop", body: `{"app":"a","through":0}`, status: 200},
		{route: "POST /v1/outbox/drop", body: `{"all":true}`, status: 200},
		{route: "POST /v1/outbox/drop", body: `{"through":-1}`, status: 400},
		{route: "GET /v1/counts", path: "/v1/counts?key=visits:/blog&limit=7", status: 200},
		{route: "GET /v1/counts", path: "/v1/counts?name=visits", status: 400},
		{route: "GET /v1/counts", path: "/v1/counts?key=visits:/blog&app=a", status: 200},
		{route: "POST /v1/call", body: `{"function":"m.f","args":[1,"x",null,{"$atom":"ok"}],"app":"a","timeout_millis":100}`, status: 200},
		{route: "POST /v1/call", body: `{"function":"m.raise","node":"a@h"}`, status: 502},
		{route: "POST /v1/call", body: `{"function":"m.f","args":7}`, status: 400},
		{route: "GET /v1/topics", path: "/v1/topics?topic=metrics:*&server=A.PubSub&after=x-6", status: 200},
		{route: "GET /v1/topics", status: 400},
		{route: "GET /v1/topics", path: "/v1/topics?topic=secret", status: 422},
		{route: "POST /v1/broadcast", body: `{"server":"A.PubSub","topic":"metrics:x","message":{"$tuple":[{"$atom":"ok"},1]},"event":"e","app":"a"}`, status: 200},
		{route: "POST /v1/broadcast", body: `{"topic":"nobodys","message":null}`, status: 422},
		{route: "POST /v1/broadcast", body: `{"topic":7,"message":1}`, status: 400},
		{route: "GET /v1/version", status: 200},
		{route: "GET /v1/openapi.yaml", status: 200},
		{route: "GET /metrics", status: 200},
		{route: "GET /healthz", status: 200},
		{route: "GET /readyz", status: 503},
		{route: "GET /readyz", status: 200},
	}
}

func TestExchangesAreAsDescribed(t *testing.T) {
	h := Handler(fake{}, Options{Version: Version{Version: "v1", Go: "go1.26"}, Machines: &machines{}})
	d := describe(t)
	t.Run("unix", func(t *testing.T) { conform(t, d, clientOf(t, serve(t, h))) })
	t.Run("TCP", func(t *testing.T) {
		token := tokenFor(t, "0123456789abcdef")
		conform(t, d, clientOf(t, serveTCP(t, Authorized(h, token)), WithToken(token)))
	})
	t.Run("TLS", func(t *testing.T) {
		token := tokenFor(t, "0123456789abcdef")
		a, pool := serveTLS(t, Authorized(h, token))
		conform(t, d, clientOf(t, a, WithToken(token), WithCAs(pool)))
	})
}

// conform makes all exchanges with the server of c.
func conform(t *testing.T, d *apitest.Description, c *Client) {
	t.Helper()
	answered := map[string]bool{}
	for _, e := range exchanges() {
		method, path, _ := strings.Cut(e.route, " ")
		if e.path != "" {
			path = e.path
		}
		if e.body != "" && e.kind == "" {
			e.kind = jsonType
		}
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		described := d.Request(method, u, e.kind, []byte(e.body))
		if (described != nil) != (e.status == 400) {
			t.Errorf("%s %s: got %d, and the description says: %v", method, path, e.status, described)
		}
		res, body := send(t, c, method, path, e.kind, e.body)
		if res.StatusCode != e.status {
			t.Errorf("%s %s %s: %d %s, want %d", method, path, e.body, res.StatusCode, body, e.status)
		}
		if err := d.Response(method, u, res.StatusCode, res.Header.Get("Content-Type"), body); err != nil {
			t.Error(err)
		}
		answered[e.route] = answered[e.route] || res.StatusCode == 200
	}
	for _, r := range table(struct{ Backend }{}, Options{Machines: http.NotFoundHandler()}) {
		if !answered[r.pattern] {
			t.Errorf("%s is not among the exchanges", r.pattern)
		}
	}
}

// clientOf is a client that ends with the test.
func clientOf(t *testing.T, a Address, o ...ClientOption) *Client {
	t.Helper()
	c := NewClient(a, o...)
	t.Cleanup(c.Close)
	return c
}

// send makes a request by hand and reads its answer.
func send(t *testing.T, c *Client, method, path, kind, body string) (*http.Response, []byte) {
	t.Helper()
	host := c.at.host
	if !c.at.IsTCP() {
		host = "ehc"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.at.scheme()+"://"+host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if !c.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+c.token.secret)
	}
	res, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	for some := make([]byte, 1<<10); err == nil && !enough(res, b.Bytes()); {
		var n int
		n, err = res.Body.Read(some)
		b.Write(some[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return res, b.Bytes()
}

// enough says whether so much of a stream will do: it has no end of its own.
func enough(res *http.Response, body []byte) bool {
	return res.Header.Get("Content-Type") == "text/event-stream" && bytes.Count(body, []byte("\n\n")) > 2
}
