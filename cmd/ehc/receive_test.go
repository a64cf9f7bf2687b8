package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ourHandler = `:erpc.call(:"ehc@127.0.0.1", EventHorizon.Remote.Handler, :handle_buffered_event, [%s])`

// visitEvent is an event as the plan's Outbox has it.
func visitEvent(id string, delta int) string {
	return fmt.Sprintf("%%{event_id: %s, type: :increment_visit, payload: %%{page_id: \"/blog\", delta: %d}, inserted_at: DateTime.utc_now()}", id, delta)
}

// TestAnElixirAppDeliversToEhc: ehc is the remote app. What comes again counts once,
// after a kill -9 too.
func TestAnElixirAppDeliversToEhc(t *testing.T) {
	c := newCluster(t)
	config := c.file("cluster.hcl", "receive {}\n")
	c.start(config)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)

	handle := func(event string) string { return a.Eval(fmt.Sprintf(ourHandler, event)) }
	batch := func(events string) string {
		return a.Eval(fmt.Sprintf(`:rpc.call(:"ehc@127.0.0.1", EventHorizon.Remote.Handler, :handle_buffered_events, [%s])`, events))
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	counted := func(key, want string) {
		t.Helper()
		expect("get_count "+key, a.Eval(fmt.Sprintf(`:erpc.call(:"ehc@127.0.0.1", Remote.Metrics, :get_count, [%q])`, key)), want)
		expect("ehc count "+key, strings.TrimSpace(c.must("count", key)), want)
	}
	for range 3 {
		expect("an event", handle(visitEvent(`"one"`, 2)), ":ok")
	}
	counted("visits:/blog", "2")
	likes := `%{event_id: "two", type: :update_likes, payload: %{post_id: "hello", delta: -1}}`
	comment := `%{event_id: "three", type: :add_comment, payload: %{post_id: "hello", comment: %{author: "Ada", body: "Nice."}}}`
	generic := `%{event_id: "four", type: :count, payload: %{name: :signups, key: "eu", delta: 40}, source: "shop@x", epoch: 1, seq: 9}`
	expect("a batch", batch("["+strings.Join([]string{likes, comment, visitEvent(`"one"`, 2), generic}, ", ")+"]"), "{:ok, 4}")
	counted("likes:hello", "-1")
	counted("comments:hello", "1")
	counted("signups:eu", "40")
	counted("visits:/about", "0")
	expect("an unknown type", handle(`%{event_id: "x", type: :ping, payload: %{}}`), "{:error, :unknown_event_type}")
	expect("half an event", handle(`%{event_id: "x", type: :increment_visit, payload: %{}}`), "{:error, :bad_event}")
	expect("a batch with half an event", batch("["+visitEvent(`"five"`, 1)+`, %{event_id: "x"}, `+visitEvent(`"six"`, 1)+"]"), "{:error, 1, :bad_event}")
	counted("visits:/blog", "3")
	if _, err := a.TryEval(`:erpc.call(:"ehc@127.0.0.1", Remote.Metrics, :get_realtime_count, ["visits"])`); err == nil || !strings.Contains(err.Error(), ":badarg") {
		t.Errorf("a key without a colon: %v", err)
	}

	many := fmt.Sprintf(`1..500 |> Task.async_stream(fn i -> `+ourHandler+` end, max_concurrency: 32, timeout: 60_000) |> Enum.uniq()`,
		visitEvent(`"many#{rem(i, 250)}"`, 1))
	expect("many at once", a.Eval(many), "[ok: :ok]")
	counted("visits:/blog", "253")
	c.kill()
	c.start(config)
	counted("visits:/blog", "253")
	expect("many again after a kill", a.Eval(many), "[ok: :ok]")
	expect("one again", handle(visitEvent(`"one"`, 2)), ":ok")
	counted("visits:/blog", "253")

	if out := c.must("count", "visits"); !strings.Contains(out, "visits:/blog   253") {
		t.Errorf("ehc count visits:\n%s", out)
	}
	if out := c.must("count", "-o", "json"); !strings.Contains(out, `"comments:hello"`) {
		t.Errorf("ehc count -o json:\n%s", out)
	}
}

// TestEhcDeliversToEhc: one controller delivers to another, which is killed with -9
// in between. Each side is an ehc run.
func TestEhcDeliversToEhc(t *testing.T) {
	c := newCluster(t)
	b := &cluster{t: t, bin: c.bin, dir: filepath.Join(c.dir, "b"), epmd: c.epmd, dns: c.dns}
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	receiver := b.file("cluster.hcl", "receive {}\n")
	text, err := os.ReadFile(receiver)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(receiver, []byte(strings.Replace(string(text), "ehc@127.0.0.1", "phoenix-b@127.0.0.2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.front("phoenix-b", "127.0.0.2")
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	b.start(receiver)
	c.start(c.file("cluster.hcl", phoenix))
	c.eventually("the nodes are connected", func() bool { return c.node("phoenix-b@127.0.0.2").Phase == "up" })
	emit := func(n int) {
		for range n {
			c.must("emit", "increment_visit", "page_id=/blog", "delta=1")
		}
	}
	emit(3)
	c.eventually("the events are delivered", func() bool { return c.pending("phoenix") == 0 })
	b.kill()
	c.eventually("the node is seen down", func() bool { return c.node("phoenix-b@127.0.0.2").Phase != "up" })
	emit(4)
	b.start(receiver)
	c.eventually("the backlog is delivered", func() bool { return c.pending("phoenix") == 0 })
	if got := strings.TrimSpace(b.must("count", "visits:/blog")); got != "7" {
		t.Errorf("%s visits, want 7", got)
	}
	if out, code := c.ehc("count", "visits:/blog"); code != 1 || !strings.Contains(out, "rpc { allow") {
		t.Errorf("count at a controller that receives nothing: exit %d\n%s", code, out)
	}
}
