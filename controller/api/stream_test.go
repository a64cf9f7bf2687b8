package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// mute answers nothing, as behind a network that is gone.
func mute(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestASubscriptionOutlivesAConnectionThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan string, 2)
		p := piped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			after := r.URL.Query().Get("after")
			asked <- after
			s, err := NewSSE(w)
			if err != nil {
				t.Error(err)
			}
			if err := s.Send(Message{ID: after + "1", Data: []byte(`{"id":"` + after + `1"}`)}); err != nil {
				t.Error(err)
			}
			mute(w, r)
		}))
		enough := errors.New("enough")
		var got []string
		err := p.client(t).Watch(t.Context(), TopicQuery{Topic: "t"}, func(b TopicBatch) error {
			if got = append(got, b.Messages[0].ID); len(got) == 2 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || strings.Join(got, " ") != "1 11" || <-asked != "" || <-asked != "1" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// A person who looks at what has come is not silence.
func TestASubscriptionThatIsReadSlowlyIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		p := piped(t, streamOf(func(ctx context.Context, s *SSE) error {
			asked++
			if err := s.Send(Message{ID: "1", Data: []byte("{}")}, Message{ID: "2", Data: []byte("{}")}); err != nil {
				return err
			}
			return idle(ctx, s)
		}))
		s, err := p.client(t).stream(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		enough := errors.New("enough")
		err = s.each(func(m Message) error {
			time.Sleep(writeLimit)
			time.Sleep(writeLimit)
			if m.ID == "2" {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || asked != 1 {
			t.Errorf("asked %d times: %v", asked, err)
		}
	})
}

// A network may lose one connection without a word, and the next one is well: what waits
// for something new then asks anew.
func TestAFollowerOutlivesAConnectionThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits atomic.Uint64
		p := piped(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("wait") != "" && waits.Add(1) == 1 {
				mute(w, r)
				return
			}
			_ = writeJSON(w, http.StatusOK, jsonType, History{Last: waits.Load() + 1})
		}))
		enough := errors.New("enough")
		var got []uint64
		err := p.client(t).FollowHistory(t.Context(), HistoryQuery{}, func(h History) error {
			if got = append(got, h.Last); len(got) == 2 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || waits.Load() != 2 {
			t.Errorf("got %d after %d waits: %v", got, waits.Load(), err)
		}
	})
}

// Who waits for an answer that never comes is told so, with the wait or soon after it.
func TestAControllerThatAnswersNothingIsToldOf(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *Client) error{
		"a subscription": func(ctx context.Context, c *Client) error {
			return c.Watch(ctx, TopicQuery{Topic: "t"}, func(TopicBatch) error { return nil })
		},
		"a watch": func(ctx context.Context, c *Client) error {
			_, err := c.WatchStatus(ctx, Watch{Seen: Moment{Revision: 1}, Wait: time.Minute})
			return err
		},
		"a history": func(ctx context.Context, c *Client) error {
			_, err := c.History(ctx, HistoryQuery{After: 1, Wait: time.Minute})
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := piped(t, http.HandlerFunc(mute)).client(t)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := ask(ctx, c); err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
