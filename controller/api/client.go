package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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
// controller gave is a *Problem, and what is in the way of an answer is
// ErrNoController or the error of the network or of the context.
//
// What can be asked again without doing anything twice is, up to three times, when
// a connection breaks or the controller is overloaded: every read, and Emit.
//
// No method needs a deadline of the caller's against a controller that hangs: one that has
// not answered for ten seconds is asked whether it lives, again and again, and if there is
// no answer to that for ten more the error is ErrLate. A stream may be silent for longer.
type Client struct {
	at    Address
	token Token
	http  *http.Client
}

// ClientOption is a setting of a client.
type ClientOption func(*clientSettings)

type clientSettings struct {
	token Token
	cas   *x509.CertPool
}

// WithToken has the client show t over TCP.
func WithToken(t Token) ClientOption { return func(s *clientSettings) { s.token = t } }

// WithCAs has the client trust these CAs, and not the system's, over https.
func WithCAs(pool *x509.CertPool) ClientOption { return func(s *clientSettings) { s.cas = pool } }

// NewClient returns a client of the controller at a. It connects when used.
func NewClient(a Address, options ...ClientOption) *Client {
	var s clientSettings
	for _, set := range options {
		set(&s)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: 10 * time.Second}
		if a.IsTCP() {
			return d.DialContext(ctx, "tcp", a.host)
		}
		return d.DialContext(ctx, "unix", a.path)
	}
	return &Client{at: a, token: s.token, http: &http.Client{
		Transport: &http.Transport{
			DialContext: dial, MaxIdleConns: 4, IdleConnTimeout: 10 * time.Second,
			TLSClientConfig: &tls.Config{RootCAs: s.cas, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 10 * time.Second,
		},
		// A token is for this controller, not for where it may point.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ask makes a request and reads its answer, a JSON value. A read whose connection
// breaks is asked again.
func ask[A any](ctx context.Context, c *Client, method, path string, body any) (A, error) {
	times := 1
	if method == http.MethodGet {
		times = tries
	}
	return askTimes[A](ctx, c, times, method, path, body)
}

// tries is how often a request is made that may be made again. It is less than
// maxTries: who asks how things stand wants to know at once that nobody answers.
const tries = 3

// askTimes is ask for what may be asked so many times.
func askTimes[A any](ctx context.Context, c *Client, times int, method, path string, body any) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait+writeLimit)
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			var none A
			return none, fmt.Errorf("encode request: %w", err)
		}
	}
	return againWhile(ctx, times, broke, func() (A, error) {
		var got A
		err := c.once(ctx, method, path, text, &got)
		return got, err
	})
}

// broke says that there was no answer although somebody listens, or that there was
// no time for one.
func broke(err error) bool {
	var p *Problem
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ErrNoController), errors.Is(err, ErrLate), errors.As(err, &untrusted):
		return false
	case errors.As(err, &p):
		return errors.Is(p, ErrOverloaded)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *Client) once(ctx context.Context, method, path string, body []byte, into any) error {
	ctx, done := c.attended(ctx)
	defer done()
	res, err := c.send(ctx, method, path, jsonType, bytes.NewReader(body), nil)
	if err != nil {
		return inTime(ctx, err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return inTime(ctx, fmt.Errorf("ask %s: read the answer: %w", c.at, err))
	}
	return nil
}

// send makes a request and returns the answer if its status is 200. The caller
// closes its body.
func (c *Client) send(ctx context.Context, method, path, kind string, body io.Reader, header http.Header) (*http.Response, error) {
	host := "ehc" // a unix socket has none
	if c.at.IsTCP() {
		host = c.at.host
	}
	r, err := http.NewRequestWithContext(ctx, method, c.at.scheme()+"://"+host+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.at, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", kind)
	}
	if c.at.IsTCP() && !c.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+c.token.secret)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return nil, fmt.Errorf("%w at %s: %w", ErrNoController, c.at, dial.Err)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, &lateError{at: c.at, err: err}
		}
		return nil, fmt.Errorf("ask %s: %w", c.at, err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	p := &Problem{}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(p); err != nil || p.Status == 0 {
		return nil, fmt.Errorf("ask %s: answer %s", c.at, res.Status)
	}
	return nil, p
}

// ErrLate says that somebody listens and has not answered in time: what was asked for has
// perhaps happened. It is not tried again.
var ErrLate = errors.New("no answer in time")

// lateError is an ErrLate, and the context's error.
type lateError struct {
	at  Address
	err error
}

func (l *lateError) Error() string {
	return fmt.Sprintf("the controller at %s has not answered in time", l.at)
}
func (l *lateError) Unwrap() []error { return []error{ErrLate, l.err} }
