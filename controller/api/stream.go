package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxEvent bounds one Server-Sent Event that a client reads.
const maxEvent = 8 << 20

// silence is for how long a stream may bring nothing, not even a beat, before it counts
// as broken: a network may end without a word, and so may what stands in between.
const silence = 3 * heartbeat

// stream is a client's end of an SSE.
type stream struct {
	body  io.ReadCloser
	at    Address
	quiet *time.Timer // ends the request
	end   func()
}

// stream asks for Server-Sent Events. The caller reads them with each, which ends
// with ctx too.
func (c *Client) stream(ctx context.Context, path string) (*stream, error) {
	within, end := context.WithCancel(ctx)
	s := &stream{at: c.at, quiet: time.AfterFunc(silence, end), end: end}
	res, err := c.send(within, http.MethodGet, path, "", http.NoBody, http.Header{"Accept": {"text/event-stream"}})
	s.quiet.Stop()
	if err == nil {
		s.body = res.Body
		return s, nil
	}
	isSilent := within.Err() != nil && ctx.Err() == nil
	end()
	if isSilent {
		return nil, fmt.Errorf("ask %s: no answer within %s", c.at, silence)
	}
	return nil, err
}

// Read reads the body, which has silence for it.
func (s *stream) Read(b []byte) (int, error) {
	s.quiet.Reset(silence)
	defer s.quiet.Stop()
	return s.body.Read(b)
}

// each calls f with every event until the stream ends, which is no error, or f
// returns one, and closes the stream. A stream that is silent for too long ends with
// an error.
func (s *stream) each(f func(Message) error) error {
	defer s.end()
	defer s.body.Close()
	lines := bufio.NewScanner(s)
	lines.Buffer(nil, maxEvent)
	var m Message
	data := false
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "":
			if lines.Text() == "" && data { // else a comment, or an event without data
				if err := f(m); err != nil {
					return err
				}
			}
			if lines.Text() == "" {
				m, data = Message{}, false
			}
		case "id":
			m.ID = value
		case "event":
			m.Event = value
		case "data":
			if data {
				m.Data = append(m.Data, '\n')
			}
			m.Data, data = append(m.Data, value...), true
			if len(m.Data) > maxEvent {
				return fmt.Errorf("read stream of %s: an event of over %d bytes", s.at, maxEvent)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read stream of %s: %w", s.at, err)
	}
	return nil
}
