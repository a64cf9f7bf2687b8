package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// heartbeat is how often a stream on which nothing happens says that it lives.
	heartbeat = 15 * time.Second
	// reconnect is when a browser is to try again after a stream has ended.
	reconnect = 2 * time.Second
	// maxBurst bounds the bytes that wait to be written at once.
	maxBurst = 64 << 10
)

// Message is one Server-Sent Event.
type Message struct {
	ID    string // what a client resumes after, by Last-Event-ID; may be empty
	Event string // its kind; empty is "message"
	Data  []byte // of any number of lines
}

// SSE writes Server-Sent Events to one reader. It has one writer. A reader that
// takes nothing for writeLimit is cut off, which is an error of Send.
type SSE struct {
	w       http.ResponseWriter
	control *http.ResponseController
	pending bytes.Buffer
}

// NewSSE begins a stream: 200 and its headers are on their way when it returns.
// The deadline that a server gives an answer does not hold for it; each write has one
// of its own.
func NewSSE(w http.ResponseWriter) (*SSE, error) {
	s := &SSE{w: w, control: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that would keep it back
	fmt.Fprintf(&s.pending, "retry: %d\n\n", reconnect.Milliseconds())
	return s, s.flush()
}

// Send writes messages, in order, and has them on their way when it returns.
func (s *SSE) Send(messages ...Message) error {
	for _, m := range messages {
		s.put(m)
		if s.pending.Len() >= maxBurst {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

// Beat writes a comment, by which both ends learn that the other is there.
func (s *SSE) Beat() error {
	s.pending.WriteString(":\n\n")
	return s.flush()
}

// put writes m into what is pending. A field ends at the end of its line, so an
// id or a kind with more than one would forge others: what follows is left out.
func (s *SSE) put(m Message) {
	if id := oneLine(m.ID); id != "" {
		fmt.Fprintf(&s.pending, "id: %s\n", id)
	}
	if kind := oneLine(m.Event); kind != "" {
		fmt.Fprintf(&s.pending, "event: %s\n", kind)
	}
	for line := range bytes.SplitSeq(unifyLines(m.Data), []byte("\n")) {
		fmt.Fprintf(&s.pending, "data: %s\n", line)
	}
	s.pending.WriteByte('\n')
}

func oneLine(text string) string {
	if i := strings.IndexAny(text, "\r\n\x00"); i >= 0 {
		return text[:i]
	}
	return text
}

// unifyLines makes every end of a line that readers know the same one.
func unifyLines(b []byte) []byte {
	if bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}

func (s *SSE) flush() error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	_, err := s.w.Write(s.pending.Bytes())
	s.pending.Reset()
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	return nil
}
