package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/transport"
)

// nodeCondition is one of the first node's.
func (w *world) nodeCondition(kind string) api.Condition {
	w.t.Helper()
	for _, c := range w.status().Nodes[0].Conditions {
		if c.Type == kind {
			return c
		}
	}
	w.t.Fatalf("the node has no condition %s", kind)
	return api.Condition{}
}

func TestANodesConditionsSaySinceWhenAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		p.Refuse(transport.ErrCookie)
		w.settle(time.Second) // a pass comes at once after a quiet time
		w.list("a1@127.0.0.1")
		listed := time.Now()
		w.settle(time.Minute)
		refused := w.nodeCondition("Connected")
		if refused.Status != "False" || refused.Reason != "CookieRejected" || refused.Message != "cookie rejected" ||
			refused.Since.Before(listed) || refused.Since.Sub(listed) > observeGap || refused.ObservedGeneration != 1 {
			t.Errorf("refused at every try: %+v", refused)
		}
		if c := w.nodeCondition("Synced"); c.Status != "Unknown" || c.Reason != "NotConnected" {
			t.Errorf("of a node that is down: %+v", c)
		}
		if c := w.nodeCondition("Discovered"); c.Status != "True" || c.Reason != "Listed" || c.Message != "listed by a.internal" {
			t.Errorf("of a listed node: %+v", c)
		}

		p.Refuse(nil)
		w.settle(5 * time.Minute)
		for _, kind := range []string{"Discovered", "Connected", "Synced"} {
			if c := w.nodeCondition(kind); c.Status != "True" || c.Since.Before(listed) {
				t.Errorf("of a node that is up: %+v", c)
			}
		}
		since := w.nodeCondition("Connected").Since
		if !since.After(listed) || !since.Before(time.Now()) {
			t.Errorf("connected since %v", since)
		}

		w.list("b1@127.0.0.1") // a1 is kept for the grace
		w.settle(time.Second)
		if c := w.nodeCondition("Discovered"); c.Status != "False" || c.Reason != "Unlisted" {
			t.Errorf("of a node that is listed no longer: %+v", c)
		}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "cluster.hcl", Text: worldText}); err != nil {
			t.Fatal(err)
		}
		if c := w.nodeCondition("Connected"); !c.Since.Equal(since) || c.ObservedGeneration != 2 {
			t.Errorf("after another apply: %+v, connected since %v", c, since)
		}
		if g := w.status().Config.Generation; g != 2 {
			t.Errorf("generation %d", g)
		}
	})
}
