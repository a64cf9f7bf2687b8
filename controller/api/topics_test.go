package api

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// subscribed is a fake of whose one subscription it is known when it ends.
type subscribed struct {
	fake
	closed chan struct{}
}

func (s subscribed) Topics(context.Context, TopicQuery) (TopicReader, error) {
	return &topicFeed{closed: s.closed}, nil
}

func TestAskingOnlyForTheHeadersOfAStreamLeavesNoSubscription(t *testing.T) {
	b := subscribed{closed: make(chan struct{})}
	c := clientOf(t, serve(t, Handler(b, Options{})))
	if res, _ := send(t, c, http.MethodHead, "/v1/topics?topic=metrics:*", "", ""); res.StatusCode != http.StatusOK {
		t.Fatalf("HEAD: %s", res.Status)
	}
	select {
	case <-b.closed:
	case <-time.After(5 * time.Minute):
		t.Error("the subscription is still there after the answer")
	}
}
