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
