package apitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// Watcher holds every exchange of a server against the description. Make one with
// Watch.
type Watcher struct {
	d *Description
	h http.Handler

	mu       sync.Mutex
	faults   []error
	answered map[string]bool // operations that were answered with 200
}

// Watch returns a handler that serves h.
func (d *Description) Watch(h http.Handler) *Watcher {
	return &Watcher{d: d, h: h, answered: map[string]bool{}}
}

// Faults are what was not as described so far: an answer, or a request that h did
// not refuse.
func (w *Watcher) Faults() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// Unanswered names the operations that h has not answered with 200 so far.
func (w *Watcher) Unanswered() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, o := range w.d.Operations() {
		if name := o.Method + " " + o.Path; !w.answered[name] {
			names = append(names, name)
		}
	}
	return names
}

// ServeHTTP serves h, and notes what is not as described.
func (w *Watcher) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	sent := &copied{ReadCloser: r.Body}
	got := &kept{ResponseWriter: to, status: http.StatusOK}
	method, u, kind := r.Method, *r.URL, r.Header.Get("Content-Type")
	r.Body = sent
	defer func() { w.note(method, &u, kind, sent.all.Bytes(), got) }() // also of one that panics
	w.h.ServeHTTP(got, r)
}

func (w *Watcher) note(method string, u *url.URL, kind string, sent []byte, got *kept) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if got.status < http.StatusBadRequest {
		if err := w.d.Request(method, u, kind, sent); err != nil {
			w.faults = append(w.faults, fmt.Errorf("answered with %d: %w", got.status, err))
		}
	}
	if err := w.d.Response(method, u, got.status, got.Header().Get("Content-Type"), got.all.Bytes()); err != nil {
		w.faults = append(w.faults, err)
	}
	if o, err := w.d.operation(method, u.EscapedPath()); err == nil && got.status == http.StatusOK {
		w.answered[o.Method+" "+o.Path] = true
	}
}

// copied keeps what is read of a body.
type copied struct {
	io.ReadCloser
	all bytes.Buffer
}

// Read notes what is read.
func (c *copied) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.all.Write(b[:n])
	return n, err
}

// kept keeps an answer.
type kept struct {
	http.ResponseWriter
	status int
	all    bytes.Buffer
}

// WriteHeader notes the status, and Write the body.
func (k *kept) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

// Write notes what is written.
func (k *kept) Write(b []byte) (int, error) {
	k.all.Write(b)
	return k.ResponseWriter.Write(b)
}

// Unwrap is http.ResponseController's way to the connection.
func (k *kept) Unwrap() http.ResponseWriter { return k.ResponseWriter }
