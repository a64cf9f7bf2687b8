package api

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// pipes is a listener in memory, for servers in a bubble of its own time.
type pipes struct {
	net.Listener // nobody asks for the address
	conns        chan net.Conn
	once         sync.Once
	closed       chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
	case <-p.closed:
		_ = theirs.Close()
	}
	return ours
}

// piped serves h as a controller does, in memory.
func piped(t *testing.T, h http.Handler) *pipes {
	t.Helper()
	p := newPipes()
	serveOn(t, p, h)
	return p
}

// client is one of what piped serves.
func (p *pipes) client(t *testing.T) *Client {
	t.Helper()
	c := clientOf(t, Address{path: "pipe"})
	c.http.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil }}
	return c
}
