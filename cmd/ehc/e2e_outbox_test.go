package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
)

// delivering is the phoenix app with these options in its deliver block, timeout one of
// them.
func delivering(options string) string {
	return strings.Replace(phoenix, `    timeout = "5m"`, options, 1)
}

// emitMany emits n visits at once and returns their ids.
func (c *cluster) emitMany(n int) []string {
	c.t.Helper()
	client := api.NewClient(api.SocketIn(c.data()))
	defer client.Close()
	var ids []string
	for ; n > 0; n -= 500 {
		var events []api.Event
		for range min(n, 500) {
			events = append(events, api.Event{Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`)})
		}
		answer, err := client.Emit(c.t.Context(), api.EmitRequest{Events: events})
		if err != nil {
			c.t.Fatal(err)
		}
		ids = append(ids, answer.IDs...)
	}
	return ids
}

// arrivedOnce are the ids in a node's journal, without those that came again.
func (c *cluster) arrivedOnce(r *remote) []string {
	c.t.Helper()
	ids := []string{}
	for _, e := range c.entries(r) {
		if !e.again {
			ids = append(ids, e.id)
		}
	}
	return ids
}

func (c *cluster) queue(app string) api.OutboxApp {
	c.t.Helper()
	for _, q := range c.status().Outbox {
		if q.App == app {
			return q
		}
	}
	return api.OutboxApp{}
}

// TestPoisonGoesToTheDeadLetters: one event of an unknown type and one at which
// the handler raises, among healthy ones, which arrive in order.
func TestPoisonGoesToTheDeadLetters(t *testing.T) {
	c := newCluster(t)
	c.start(c.file("cluster.hcl", delivering("    tries = 2\n    timeout = \"5m\"")))
	want := c.emitMany(40)
	c.must("emit", "no_such_type", "a=1", "-id", "unknown")
	want = append(want, c.emitMany(40)...)
	c.must("emit", "poison", "-id", "raises")
	want = append(want, c.emitMany(40)...)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.eventually("the queue is empty", func() bool { return c.pending("phoenix") == 0 })
	if diff := cmp.Diff(want, c.arrivedOnce(a)); diff != "" {
		t.Errorf("arrived -want +got:\n%s", diff)
	}
	if n := c.queue("phoenix").Dead; n != 2 {
		t.Errorf("%d dead letters, want 2", n)
	}
	var box api.Outbox
	if err := json.Unmarshal([]byte(c.must("outbox", "list", "-dead", "-o", "json")), &box); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, e := range box.Events {
		reasons[e.ID] = e.Reason
	}
	if diff := cmp.Diff(map[string]string{"unknown": "UnknownEventType", "raises": "HandlerRaised"}, reasons); diff != "" {
		t.Errorf("reasons -want +got:\n%s", diff)
	}
	if out := c.must("outbox", "peek", "raises"); !strings.Contains(out, "poison") || !strings.Contains(out, `"tries": 2`) {
		t.Errorf("peek:\n%s", out)
	}

	// Its handler mended, the dead event is retried; the other is carried away.
	saved := filepath.Join(c.dir, "dead.ndjson")
	if err := os.WriteFile(saved, []byte(c.must("outbox", "export", "-dead")), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must("outbox", "drop", "unknown")
	c.must("outbox", "retry", "-all")
	c.eventually("the retried event is dead again", func() bool { return c.queue("phoenix").Dead == 1 && c.pending("phoenix") == 0 })
	if out := c.must("outbox", "import", saved); !strings.Contains(out, "unknown\n") || !strings.Contains(out, "raises\n") {
		t.Errorf("import:\n%s", out)
	}
	c.eventually("the imported event is dead, too", func() bool { return c.queue("phoenix").Dead == 2 && c.pending("phoenix") == 0 })
	if diff := cmp.Diff(want, c.arrivedOnce(a)); diff != "" {
		t.Errorf("in the end -want +got:\n%s", diff)
	}
}

// TestPeerWithoutTheHandlers: without that of batches events go one by one; without
// any they wait, for as long as it takes.
func TestPeerWithoutTheHandlers(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.start(c.file("cluster.hcl", delivering(`    batch_handler = "EventHorizon.Remote.Handler.nobody/1"`)))
	want := c.emitMany(50)
	c.eventually("the events are delivered", func() bool { return c.pending("phoenix") == 0 })
	c.file("cluster.hcl", delivering(`    handler = "EventHorizon.NotDeployed.handle/1"
    tries = 1
    timeout = "5m"`))
	want = append(want, c.emitAfter("HandlerUndefined", 5)...)
	if q := c.queue("phoenix"); q.Dead != 0 {
		t.Errorf("queue = %+v", q)
	}
	c.file("cluster.hcl", phoenix)
	c.eventually("the events are delivered", func() bool { return c.pending("phoenix") == 0 })
	if diff := cmp.Diff(want, c.arrivedOnce(a)); diff != "" {
		t.Errorf("arrived -want +got:\n%s", diff)
	}
}

// emitAfter emits until the queue waits for a reason, n events at least.
func (c *cluster) emitAfter(reason string, n int) []string {
	c.t.Helper()
	c.eventually("the new file is in force", func() bool { return strings.Contains(c.log.String(), "reloaded") })
	ids := c.emitMany(n)
	c.eventually("the queue waits: "+reason, func() bool { return c.queue("phoenix").Reason == reason })
	return ids
}

// TestPeerKilledInTheMiddleOfBatches: kill -9, three times; nothing is lost, and
// every id counts once.
func TestPeerKilledInTheMiddleOfBatches(t *testing.T) {
	c := newCluster(t)
	c.start(c.file("cluster.hcl", delivering(`    timeout = "2s"`)))
	want := c.emitMany(4000)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	for i := range 3 {
		c.eventually(fmt.Sprintf("batch after batch arrives (%d)", i), func() bool { return len(c.arrivedOnce(a)) > 200+600*i })
		a.Kill()
		a.restart()
	}
	c.eventually("the queue is empty", func() bool { return c.pending("phoenix") == 0 })
	if diff := cmp.Diff(want, c.arrivedOnce(a)); diff != "" {
		t.Errorf("arrived -want +got:\n%s", diff)
	}
	if got := counts(c.entries(a))["/blog"]; got != len(want) {
		t.Errorf("the peer counts %d, want %d", got, len(want))
	}
	if q := c.queue("phoenix"); q.Dead != 0 {
		t.Errorf("queue = %+v", q)
	}
}
