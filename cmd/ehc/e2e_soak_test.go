package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"ehc/controller/api"
)

// soakEvents is how many events the soak emits: few in CI, EHC_SOAK_EVENTS in
// make soak.
func soakEvents(t *testing.T) int {
	text, ok := os.LookupEnv("EHC_SOAK_EVENTS")
	if !ok {
		return 6_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("EHC_SOAK_EVENTS=%q: want a number", text)
	}
	return n
}

// TestKillsOnBothSidesLoseAndDoubleNothing kills the controller and the peer with
// -9 in turn, each at a random moment, while events are emitted and delivered. A
// batch whose answer a kill has cut off is emitted again under its ids.
func TestKillsOnBothSidesLoseAndDoubleNothing(t *testing.T) {
	const batch, every = 100, 20 // batches from one kill of the same side to the next
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	config := c.file("cluster.hcl", phoenix)
	c.start(config)
	var want []string
	down := false
	for round := range (soakEvents(t) + batch - 1) / batch {
		var events []api.Event
		for range batch {
			id := fmt.Sprintf("soak-%07d", len(want))
			want = append(want, id)
			events = append(events, api.Event{ID: id, Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`)})
		}
		switch round % every {
		case every / 4:
			c.emitThroughKill(events, config)
			continue
		case every / 2:
			a.Kill()
			down = true
		case every/2 + 2: // some batches find the peer down
			a.restart()
			down = false
		}
		if err := c.emit(events); err != nil {
			t.Fatal(err)
		}
	}
	if down {
		a.restart()
	}
	for left := c.pending("phoenix"); left > 0; left = c.pending("phoenix") {
		c.eventually("more is delivered", func() bool { return c.pending("phoenix") < left })
	}

	again := 0
	var once []string
	for _, e := range c.entries(a) {
		if e.again {
			again++
			continue
		}
		once = append(once, e.id)
	}
	t.Logf("%d events, %d of them came more than once", len(once), again)
	if len(once) != len(want) {
		t.Fatalf("%d different events arrived, want %d", len(once), len(want))
	}
	for i := range want {
		if once[i] != want[i] {
			t.Fatalf("event %d is %s, want %s", i, once[i], want[i])
		}
	}
	if got := counts(c.entries(a))["/blog"]; got != len(want) {
		t.Errorf("the peer counts %d, want %d", got, len(want))
	}
}

func (c *cluster) emit(events []api.Event) error {
	client := api.NewClient(api.SocketIn(c.data()))
	defer client.Close()
	_, err := client.Emit(c.t.Context(), api.EmitRequest{Events: events})
	return err
}

// emitThroughKill kills the controller a moment after, or before, events are
// emitted, starts it again, and emits them once more if the answer did not come.
func (c *cluster) emitThroughKill(events []api.Event, config string) {
	c.t.Helper()
	killed := make(chan struct{})
	time.AfterFunc(rand.N(20*time.Millisecond), func() {
		defer close(killed)
		_ = c.run.Process.Kill()
	})
	err := c.emit(events)
	<-killed
	c.kill()
	c.start(config)
	if err == nil {
		return
	}
	if err := c.emit(events); err != nil {
		c.t.Fatal(err)
	}
}
