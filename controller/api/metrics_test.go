package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recording is a server that plays faults and keeps what it was asked.
type recording struct {
	mu     sync.Mutex
	faults []func(http.ResponseWriter) // one for each request, while there are any
	emits  []EmitRequest
	Backend
}

func (b *recording) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	var fault func(http.ResponseWriter)
	if len(b.faults) > 0 {
		fault, b.faults = b.faults[0], b.faults[1:]
	}
	b.mu.Unlock()
	if fault == nil {
		Handler(b, Options{}).ServeHTTP(w, r)
		return
	}
	if q, err := readJSON[EmitRequest](w, r); err == nil {
		b.keep(q)
	}
	fault(w)
}

func (b *recording) keep(r EmitRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.emits = append(b.emits, r)
}

func (b *recording) Emit(_ context.Context, r EmitRequest) (Emitted, error) {
	b.keep(r)
	out := Emitted{IDs: []string{}, Outcomes: []string{}}
	for _, e := range r.Events {
		out.IDs, out.Outcomes = append(out.IDs, e.ID), append(out.Outcomes, OutcomeBuffered)
	}
	return out, nil
}

// Counts knows one counter for sure, and for the rest that nobody is connected.
func (b *recording) Counts(_ context.Context, q CountsQuery) (Counts, error) {
	switch q.Key {
	case "visits:/blog":
		return Counts{Counts: []Count{{Key: q.Key, Count: 42}}, Node: "a@h"}, nil
	case "visits":
		return Counts{Counts: []Count{{Key: "visits:/a", Count: 1}}}, nil
	case "slow":
		return Counts{}, NewProblem(http.StatusGatewayTimeout, "no answer").Because(ReasonTimedOut)
	case "raises":
		p := NewProblem(http.StatusBadGateway, "raised error: badarg").Because(ReasonRemote)
		p.Remote = &RemoteError{Node: "a@h", Class: "error", Reason: "badarg"}
		return Counts{}, p
	}
	return Counts{}, NewProblem(http.StatusServiceUnavailable, "no node").Because(ReasonDisconnected)
}

func busy(w http.ResponseWriter) { fail(w, NewProblem(http.StatusServiceUnavailable, "stopping")) }
func full(w http.ResponseWriter) { fail(w, NewProblem(429, "full").Because(ReasonFull)) }
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }
func halfAnswer(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"ids":`))
	panic(http.ErrAbortHandler)
}

func recorded(t *testing.T, faults ...func(http.ResponseWriter)) (*recording, *Client) {
	b := &recording{faults: faults}
	c := NewClient(serve(t, b))
	t.Cleanup(c.Close)
	return b, c
}

func TestAWriteIsTriedAgainUnderOneID(t *testing.T) {
	b, c := recorded(t, busy, hangUp, halfAnswer)
	got, err := c.IncrementVisit(t.Context(), "/blog", 2)
	if err != nil || got.Outcome != OutcomeBuffered || got.Delivered() {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(b.emits) != 4 {
		t.Fatalf("%d attempts, want 4", len(b.emits))
	}
	want := EmitRequest{Wait: WaitConnected, Events: []Event{{ID: got.ID, Type: "increment_visit", Payload: json.RawMessage(`{"delta":2,"page_id":"/blog"}`)}}}
	for i, r := range b.emits {
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("attempt %d: -want +got:\n%s", i+1, diff)
		}
	}
	other, err := c.IncrementVisit(t.Context(), "/blog", 2)
	if err != nil || other.ID == got.ID || len(got.ID) < 20 {
		t.Errorf("the next event has the id %q, %v", other.ID, err)
	}
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	b, c := recorded(t, full)
	got, err := c.UpdateLikes(t.Context(), "hello", -1, WithID("mine"))
	if !errors.Is(err, ErrFull) || len(b.emits) != 1 || got.ID != "mine" {
		t.Errorf("%+v, %v after %d attempts", got, err, len(b.emits))
	}
}

func TestOptionsOfAnEvent(t *testing.T) {
	b, c := recorded(t)
	ctx := t.Context()
	for _, how := range [][]EmitOption{{WithoutWait()}, {UntilDelivered(2 * time.Second), ToApp("phoenix"), WithID("x")}} {
		if _, err := c.AddComment(ctx, "hello", struct{ Author string }{"Ada"}, how...); err != nil {
			t.Fatal(err)
		}
	}
	comment := Event{Type: "add_comment", Payload: json.RawMessage(`{"comment":{"Author":"Ada"},"post_id":"hello"}`)}
	first, second := comment, comment
	first.ID = b.emits[0].Events[0].ID
	second.ID, second.App = "x", "phoenix"
	want := []EmitRequest{
		{Wait: WaitDurable, Events: []Event{first}},
		{Wait: WaitDelivered, WaitMillis: 2000, Events: []Event{second}},
	}
	if diff := cmp.Diff(want, b.emits); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := c.Send(ctx, "x", func() {}); err == nil || len(b.emits) != 2 {
		t.Errorf("a payload that is no JSON: %v", err)
	}
}

func TestACountIsANumberOrAnError(t *testing.T) {
	_, c := recorded(t, busy, hangUp)
	ctx := t.Context()
	if n, err := c.RealtimeCount(ctx, "", "visits:/blog"); n != 42 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := c.RealtimeCount(ctx, "", "visits"); err == nil {
		t.Error("a name is taken for a counter")
	}
	var remote *RemoteError
	var problem *Problem
	if _, err := c.RealtimeCount(ctx, "", "raises"); !errors.As(err, &remote) || remote.Reason != "badarg" || !errors.As(err, &problem) {
		t.Errorf("what it raised: %v", err)
	}
	if _, err := c.RealtimeCount(ctx, "", "slow"); !errors.Is(err, ErrTimeout) || !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("no answer: %v", err)
	}
	if _, err := c.RealtimeCount(ctx, "", "other"); !errors.Is(err, ErrDisconnected) || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("no node: %v", err)
	}
}

func TestTriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, SocketIn(t.TempDir()))
		limit := time.Now().Add(time.Second) // before the last try
		ctx, cancel := context.WithDeadline(t.Context(), limit)
		defer cancel()
		if _, err := c.IncrementVisit(ctx, "/", 1); !errors.Is(err, ErrNoController) || !time.Now().Equal(limit) {
			t.Errorf("%s after the limit: %v", time.Since(limit), err)
		}
	})
}

// oneMessage is a reader that has one message, of the topic that was asked for.
type oneMessage struct {
	topic string
	told  bool
}

func (*oneMessage) Close() {}

func (m *oneMessage) Next(ctx context.Context) (TopicBatch, error) {
	if m.told {
		<-ctx.Done()
		return TopicBatch{}, ctx.Err()
	}
	m.told = true
	return TopicBatch{Messages: []TopicMessage{{ID: "1", Topic: m.topic, Message: json.RawMessage(`42`)}}}, nil
}

func (b *recording) Topics(_ context.Context, q TopicQuery) (TopicReader, error) {
	return &oneMessage{topic: q.Topic}, nil
}

func TestASubscriptionToAMetric(t *testing.T) {
	_, c := recorded(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []TopicMessage
	err := c.SubscribeToMetrics(ctx, "visits:/blog", func(b TopicBatch) error {
		got = append(got, b.Messages...)
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(got) != 1 || got[0].Topic != "metrics:visits:/blog" || string(got[0].Message) != "42" {
		t.Errorf("%v: %+v", err, got)
	}
}
