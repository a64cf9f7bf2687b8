package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
)

// TestAQueueSaysWhyItWaits: also when no delivery has failed, since none was tried.
func TestAQueueSaysWhyItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.emit(3)
		w.settle(time.Second)
		if q := w.queue(); q.Pending != 3 || q.Reason != "NoNodes" || q.Message == "" || q.Oldest.IsZero() {
			t.Errorf("with no node listed: %+v", q)
		}
		w.list("a1@127.0.0.1")
		w.settle(5 * time.Second)
		if q := w.queue(); q.Pending != 3 || q.Reason != "NotConnected" {
			t.Errorf("with a node that is down: %+v", q)
		}
		if _, err := w.ctl.Suspend(t.Context(), api.SuspendRequest{App: "a"}); err != nil {
			t.Fatal(err)
		}
		w.settle(5 * time.Second)
		if q := w.queue(); q.Pending != 3 || q.Reason != "Suspended" {
			t.Errorf("suspended: %+v", q)
		}
	})
}
