package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrNoController says that nobody answers at the address.
var ErrNoController = errors.New("no controller answers")

// Client asks a controller. Its methods may be used at once; an error that the
// controller gave is a *Problem.
type Client struct {
	at   Address
	http *http.Client
}

// NewClient returns a client of the controller at a. It connects when used.
func NewClient(a Address) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", a.path)
	}
	return &Client{at: a, http: &http.Client{
		Timeout:   maxWait,
		Transport: &http.Transport{DialContext: dial, MaxIdleConns: 4, IdleConnTimeout: 10 * time.Second},
	}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks how things stand.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Plan asks what a file would do.
func (c *Client) Plan(ctx context.Context, r PlanRequest) (Plan, error) {
	return ask[Plan](ctx, c, http.MethodPost, "/v1/plan", r)
}

// Apply puts a file in force.
func (c *Client) Apply(ctx context.Context, r ApplyRequest) (Applied, error) {
	return ask[Applied](ctx, c, http.MethodPost, "/v1/apply", r)
}

// Emit enqueues events. Events without an id are given one by the controller,
// so a caller that will try again after an error should set them.
func (c *Client) Emit(ctx context.Context, r EmitRequest) (Emitted, error) {
	return ask[Emitted](ctx, c, http.MethodPost, "/v1/events", r)
}

// Outbox lists what waits, or what is dead.
func (c *Client) Outbox(ctx context.Context, q OutboxQuery) (Outbox, error) {
	return ask[Outbox](ctx, c, http.MethodGet, "/v1/outbox?"+q.values().Encode(), nil)
}

func (q OutboxQuery) values() url.Values {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.App != "" {
		v.Set("app", q.App)
	}
	if q.ID != "" {
		v.Set("id", q.ID)
	}
	if q.Dead {
		v.Set("dead", "true")
	}
	if q.After > 0 {
		v.Set("after", strconv.FormatUint(q.After, 10))
	}
	return v
}

// Retry puts dead letters back into their queues.
func (c *Client) Retry(ctx context.Context, s OutboxSelection) (OutboxChange, error) {
	return ask[OutboxChange](ctx, c, http.MethodPost, "/v1/outbox/retry", s)
}

// Drop deletes dead letters, or what waits.
func (c *Client) Drop(ctx context.Context, s OutboxSelection) (OutboxChange, error) {
	return ask[OutboxChange](ctx, c, http.MethodPost, "/v1/outbox/drop", s)
}

// Counts asks for the counter of a key, such as "visits:/blog", or for up to limit
// counters of a name, such as "visits"; key "" means of every name.
func (c *Client) Counts(ctx context.Context, key string, limit int) (Counts, error) {
	q := url.Values{"key": {key}, "limit": {strconv.Itoa(limit)}}
	return ask[Counts](ctx, c, http.MethodGet, "/v1/counts?"+q.Encode(), nil)
}

// Version asks for the controller's build.
func (c *Client) Version(ctx context.Context) (Version, error) {
	return ask[Version](ctx, c, http.MethodGet, "/v1/version", nil)
}

func ask[A any](ctx context.Context, c *Client, method, path string, body any) (A, error) {
	var none, got A
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return none, fmt.Errorf("encode request: %w", err)
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://ehc"+path, content)
	if err != nil {
		return none, fmt.Errorf("ask %s: %w", c.at, err)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return none, fmt.Errorf("%w at %s: %w", ErrNoController, c.at, dial.Err)
		}
		return none, fmt.Errorf("ask %s: %w", c.at, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p := &Problem{}
		if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(p); err != nil || p.Status == 0 {
			return none, fmt.Errorf("ask %s: answer %s", c.at, res.Status)
		}
		return none, p
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return none, fmt.Errorf("ask %s: read the answer: %w", c.at, err)
	}
	return got, nil
}
