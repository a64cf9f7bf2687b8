package controller

import (
	"testing"
	"time"

	"ehc/state/outbox"
)

// BenchmarkPack is an event from its row to the bytes that go to the peer.
func BenchmarkPack(b *testing.B) {
	ev := outbox.Event{
		ID: "01J00000000000000000000000", Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`), InsertedAt: time.Now(),
	}
	var text []byte
	var to encoder
	for b.Loop() {
		var err error
		if text, err = to.append(text[:0], ev); err != nil {
			b.Fatal(err)
		}
	}
}
