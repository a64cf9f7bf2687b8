package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxEvent bounds one Server-Sent Event that a client reads.
const maxEvent = 8 << 20

// stream is a client's end of an SSE.
type stream struct {
	body io.ReadCloser
	at   Address
}

// stream asks for Server-Sent Events. The caller reads them with each, which ends
// with ctx too.
func (c *Client) stream(ctx context.Context, path string) (*stream, error) {
	res, err := c.send(ctx, http.MethodGet, path, "", http.NoBody, http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		return nil, err
	}
	return &stream{body: res.Body, at: c.at}, nil
}

// each calls f with every event until the stream ends, which is no error, or f
// returns one, and closes the stream.
func (s *stream) each(f func(Message) error) error {
	defer s.body.Close()
	lines := bufio.NewScanner(s.body)
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
