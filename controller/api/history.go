package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// HistoryBackend tells what happened.
type HistoryBackend interface {
	// History returns what q asks for. If that is nothing yet it waits for it,
	// for as long as q says and ctx lasts; that nothing happened is no error.
	History(ctx context.Context, q HistoryQuery) (History, error)
}

func historyRoutes(b HistoryBackend) []route {
	return []route{
		newRead("GET /v1/history", []string{"after", "limit", "app", "node", "wait"},
			func(ctx context.Context, v url.Values) (History, error) {
				q, err := historyQuery(v)
				if err != nil {
					return History{}, err
				}
				return b.History(ctx, q)
			}).waits(),
		newStream("GET /v1/history/follow", []string{"after", "app", "node"}, func(r *http.Request) (func(context.Context, *SSE) error, error) {
			q, err := historyQuery(r.URL.Query())
			if err != nil {
				return nil, err
			}
			if id := r.Header.Get("Last-Event-ID"); id != "" { // a browser's, which asks again as it asked first
				if q.After, err = numberOf("Last-Event-ID", id); err != nil {
					return nil, err
				}
			}
			if q.After == 0 { // from now on
				q.Limit = 1
				now, err := b.History(r.Context(), q)
				if err != nil {
					return nil, err
				}
				q.After = now.Last
			}
			return followHistory(b, q), nil
		}),
	}
}

// followHistory sends what happens after q.After, each entry as a message with its
// id.
func followHistory(b HistoryBackend, q HistoryQuery) func(context.Context, *SSE) error {
	q.Limit, q.Wait = maxLimit, heartbeat
	return func(ctx context.Context, s *SSE) error {
		for ctx.Err() == nil {
			h, err := b.History(ctx, q)
			if err != nil {
				return err
			}
			messages, err := historyMessages(h)
			if err != nil {
				return err
			}
			if len(messages) == 0 {
				err = s.Beat()
			} else {
				err = s.Send(messages...)
			}
			if err != nil {
				return err
			}
			q.After = h.Last
		}
		return nil
	}
}

func historyMessages(h History) ([]Message, error) {
	var messages []Message
	if h.Missed {
		messages = append(messages, Message{Event: "missed", Data: []byte("{}")})
	}
	for _, e := range h.Entries {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		messages = append(messages, Message{ID: strconv.FormatUint(e.ID, 10), Data: text})
	}
	return messages, nil
}

// HistoryQuery says what of the history to give. It goes over the wire as the
// query ?after=&limit=&app=&node=&wait=.
type HistoryQuery struct {
	After uint64        // only what came after the entry of this id; 0: the newest
	Limit int           // at most so many
	App   string        // empty: of any app, or of none
	Node  string        // empty: of any node, or of none
	Wait  time.Duration // for something to happen; needs After
}

// History is what happened, oldest first.
type History struct {
	Entries []HistoryEntry `json:"entries"` // never null
	// Last is what to ask on after: there is nothing up to it that was asked for
	// and is not in Entries, but for what was missed.
	Last uint64 `json:"last"`
	// Missed says that entries after the one that was asked for are forgotten by
	// now.
	Missed bool `json:"missed,omitempty"`
}

// HistoryEntry is one thing that happened, once or several times. When the same
// happens again, the entry is replaced by one with a new id and a greater count.
type HistoryEntry struct {
	ID      uint64    `json:"id"` // grows with time, over restarts too
	At      time.Time `json:"at"` // when it happened last
	FirstAt time.Time `json:"first_at"`
	Count   int       `json:"count"`
	Kind    string    `json:"kind"`    // what happened, a stable word such as Disconnected
	Warning bool      `json:"warning"` // a person may have to do something
	App     string    `json:"app,omitempty"`
	Node    string    `json:"node,omitempty"`
	Reason  string    `json:"reason,omitempty"` // why, a stable word such as CookieRejected
	Message string    `json:"message"`          // for people
}

// History asks what happened.
func (c *Client) History(ctx context.Context, q HistoryQuery) (History, error) {
	path := "/v1/history?" + q.values().Encode()
	if q.Wait > 0 {
		return askWaiting[History](ctx, c, path, q.Wait)
	}
	return ask[History](ctx, c, http.MethodGet, path, nil)
}

// FollowHistory calls f with what q asks for, and then with what happens, until ctx
// ends or f returns an error, which it returns. When the controller cannot be asked it
// asks again, and gives up after eight times. q.Wait does not count.
func (c *Client) FollowHistory(ctx context.Context, q HistoryQuery, f func(History) error) error {
	q.Wait = 0
	for {
		h, err := again(ctx, func() (History, error) { return c.History(ctx, q) })
		if err != nil {
			return err
		}
		if err := f(h); err != nil {
			return err
		}
		q.After, q.Wait = h.Last, defaultWait
	}
}

func (q HistoryQuery) values() url.Values {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if q.App != "" {
		v.Set("app", q.App)
	}
	if q.Node != "" {
		v.Set("node", q.Node)
	}
	if q.After > 0 {
		v.Set("after", strconv.FormatUint(q.After, 10))
	}
	if q.Wait > 0 {
		v.Set("wait", q.Wait.String())
	}
	return v
}

// historyQuery reads what HistoryQuery.values writes.
func historyQuery(v url.Values) (q HistoryQuery, err error) {
	q = HistoryQuery{App: v.Get("app"), Node: v.Get("node")}
	if q.Limit, err = limitIn(v); err != nil {
		return q, err
	}
	if q.After, err = numberIn(v, "after"); err != nil {
		return q, err
	}
	q.Wait, err = waitIn(v, "wait", 0)
	return q, err
}
