package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// TopicBackend takes part in Phoenix.PubSub.
type TopicBackend interface {
	// Topics subscribes to what is broadcast.
	Topics(ctx context.Context, q TopicQuery) (TopicReader, error)
	Broadcast(ctx context.Context, r BroadcastRequest) (Broadcasted, error)
}

// TopicReader is a subscription. It belongs to one goroutine.
type TopicReader interface {
	// Next waits for messages. It returns the context's error if that ends first, and
	// ErrEnded if nothing more will come.
	Next(ctx context.Context) (TopicBatch, error)
	Close()
}

// ErrEnded says that a subscription has come to its end.
var ErrEnded = errors.New("no more messages")

func topicRoutes(b TopicBackend) []route {
	return []route{
		newStream("GET /v1/topics", []string{"topic", "server", "after"}, func(r *http.Request) (func(context.Context, *SSE) error, error) {
			v := r.URL.Query()
			q := TopicQuery{Topic: v.Get("topic"), Server: v.Get("server"), After: v.Get("after")}
			if id := r.Header.Get("Last-Event-ID"); id != "" { // a browser's, which asks again as it asked first
				q.After = id
			}
			if q.Topic == "" {
				return nil, NewProblem(http.StatusBadRequest, "topic: want a topic, or a pattern such as metrics:*")
			}
			topics, err := b.Topics(r.Context(), q)
			if err != nil {
				return nil, err
			}
			return followTopics(topics), nil
		}),
		newWrite("POST /v1/broadcast", b.Broadcast),
	}
}

// followTopics sends what comes, and closes the reader in the end.
func followTopics(topics TopicReader) func(context.Context, *SSE) error {
	return func(ctx context.Context, s *SSE) error {
		defer topics.Close()
		for ctx.Err() == nil {
			limit, cancel := context.WithTimeout(ctx, heartbeat)
			batch, err := topics.Next(limit)
			cancel()
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, context.DeadlineExceeded):
				err = s.Beat()
			case err == nil:
				err = sendTopics(s, batch)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// lostEvent is the kind of a message that says what is missing before the next.
const lostEvent = "lost"

func sendTopics(s *SSE, b TopicBatch) error {
	var messages []Message
	add := func(id, event string, v any) error {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false) // messages as they came
		err := e.Encode(v)
		messages = append(messages, Message{ID: id, Event: event, Data: bytes.TrimSuffix(text.Bytes(), []byte("\n"))})
		return err
	}
	if b.Lost != (Lost{}) {
		if err := add("", lostEvent, b.Lost); err != nil {
			return err
		}
	}
	for _, m := range b.Messages {
		if err := add(m.ID, "", m); err != nil {
			return err
		}
	}
	return s.Send(messages...)
}

// TopicQuery says what to subscribe to. It goes over the wire as the query
// ?topic=&server=&after=.
type TopicQuery struct {
	// Topic is a topic, or with * for any characters a pattern.
	Topic string
	// Server is a PubSub server of cluster.hcl; empty is the first by name.
	Server string
	// After is the ID of the message after which to resume; empty is from now on.
	After string
}

// TopicBatch is what a subscription gets at once: what it has lost, and the messages
// after that, oldest first.
type TopicBatch struct {
	Lost     Lost
	Messages []TopicMessage
}

// Lost says that messages are missing.
type Lost struct {
	// Count is how many the reader, or the controller, was too slow for.
	Count uint64 `json:"count,omitempty"`
	// Forgotten says that the message after which to resume is not known any more, so
	// that nobody knows how many came since.
	Forgotten bool `json:"forgotten,omitempty"`
}

// TopicMessage is one broadcast.
type TopicMessage struct {
	ID     string    `json:"id"` // to resume after
	At     time.Time `json:"at"` // when it came to the controller
	Server string    `json:"server"`
	Topic  string    `json:"topic"`
	Node   string    `json:"node"` // from which it came
	// Event is the event of a %Phoenix.Socket.Broadcast{}, and Message its payload; of
	// any other message there is no Event.
	Event   string          `json:"event,omitempty"`
	Message json.RawMessage `json:"message"`
}

// BroadcastRequest sends a message to the subscribers of a topic. The message is
// JSON: see CallRequest for how atoms and tuples are written.
type BroadcastRequest struct {
	Server  string          `json:"server,omitempty"` // as in TopicQuery
	Topic   string          `json:"topic"`
	Message json.RawMessage `json:"message"`
	// Event makes it a %Phoenix.Socket.Broadcast{} of this event, with Message as its
	// payload: what channels take.
	Event string `json:"event,omitempty"`
	App   string `json:"app,omitempty"` // only to the nodes of this app
}

// Broadcasted says where a broadcast went. Who has subscribed there nobody knows.
type Broadcasted struct {
	Server string   `json:"server"`
	Nodes  int      `json:"nodes"`            // to how many it went
	Failed []string `json:"failed,omitempty"` // for people: to which it did not, and why
}

// Broadcast sends a message, once: it is not tried again.
func (c *Client) Broadcast(ctx context.Context, r BroadcastRequest) (Broadcasted, error) {
	return ask[Broadcasted](ctx, c, http.MethodPost, "/v1/broadcast", r)
}

// Watch subscribes to topics and calls f with what comes, until ctx ends, f returns
// an error, which it then returns, or the controller refuses. When the connection
// breaks after that it resumes where it was, and gives up after a while.
func (c *Client) Watch(ctx context.Context, q TopicQuery, f func(TopicBatch) error) error {
	for first := true; ; first = false {
		open := func() (*stream, error) { return c.stream(ctx, "/v1/topics?"+q.values().Encode()) }
		var s *stream
		var err error
		if first {
			s, err = open()
		} else if err = pause(ctx, pauseFirst); err == nil { // a stream that ends at once must not come at once
			s, err = again(ctx, open)
		}
		if err != nil {
			return err
		}
		err = s.each(func(m Message) error {
			batch, err := topicBatch(m)
			if err != nil {
				return &taken{fmt.Errorf("read message %s: %w", m.ID, err)}
			}
			if m.ID != "" {
				q.After = m.ID
			}
			if err := f(batch); err != nil {
				return &taken{err}
			}
			return nil
		})
		var end *taken
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &end):
			return end.err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// taken is an error of who takes the messages.
type taken struct{ err error }

func (t *taken) Error() string { return t.err.Error() }

func (q TopicQuery) values() url.Values {
	v := url.Values{"topic": {q.Topic}}
	if q.Server != "" {
		v.Set("server", q.Server)
	}
	if q.After != "" {
		v.Set("after", q.After)
	}
	return v
}

func topicBatch(m Message) (TopicBatch, error) {
	var b TopicBatch
	if m.Event == lostEvent {
		return b, json.Unmarshal(m.Data, &b.Lost)
	}
	var t TopicMessage
	err := json.Unmarshal(m.Data, &t)
	b.Messages = []TopicMessage{t}
	return b, err
}
