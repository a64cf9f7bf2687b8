package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestAnElixirAppUsesEhcByGenServer: an app without any code of ours counts visits of
// another through ehc, and reads them, while the other is up and while it is down.
func TestAnElixirAppUsesEhcByGenServer(t *testing.T) {
	c := newCluster(t)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.dns.Set("event-horizon.internal")
	c.start(c.file("cluster.hcl", allowed))
	eh := c.remote("event-horizon", "127.0.0.3", testCookie)
	b := c.remote("phoenix-b", "127.0.0.2", testCookie)
	c.eventually("the node is connected", func() bool { return c.node("phoenix-b@127.0.0.2").Phase == "up" })

	// ask asks again if it must: an app that is slow for three seconds is not waited for.
	// What would count twice is not asked for again.
	ask := func(request, want string) {
		t.Helper()
		minted := want == `{:ok, :delivered, "01…`
		var got string
		for range 5 {
			got = eh.Eval(fmt.Sprintf(`GenServer.call({:ehc, :"ehc@127.0.0.1"}, %s, :infinity)`, request))
			start, cut := strings.CutSuffix(want, "…")
			if got == want || cut && strings.HasPrefix(got, start) || minted && strings.HasPrefix(got, `{:ok, :buffered, "01`) {
				return
			}
			if minted {
				break
			}
		}
		t.Errorf("%s is answered %s, want %s", request, got, want)
	}
	ask(`:ping`, `:pong`)
	ask(`{:increment_visit, "/blog", 2, "visit-1"}`, `{:ok, :delivered, "visit-1"}`)
	ask(`{:increment_visit, "/blog", 2, "visit-1"}`, `{:ok, :delivered, "visit-1"}`)
	ask(`{:increment_visit, "/blog"}`, `{:ok, :delivered, "01…`)
	ask(`{:update_likes, "hello", -1}`, `{:ok, :delivered, "01…`)
	ask(`{:add_comment, "hello", %{author: "Ada", at: ~U[2026-11-27 05:00:00Z], tags: ["a", :b, nil, 1.5]}}`, `{:ok, :delivered, "01…`)
	c.eventually("what was not waited for is delivered", func() bool { return c.pending("phoenix") == 0 })
	ask(`{:emit, :increment_visit, %{page_id: "/about", delta: 1}, "visit-2"}`, `{:ok, :delivered, "visit-2"}`)
	ask(`{:get_realtime_count, "visits:/blog"}`, `{:ok, 3}`)
	ask(`{:count, "visits:/about", :phoenix}`, `{:ok, 1}`)
	ask(`{:connected_nodes, "phoenix"}`, `{:ok, [:"phoenix-b@127.0.0.2"]}`)
	if got := eh.Eval(`GenServer.call({:ehc, :"ehc@127.0.0.1"}, :status, :infinity) == {:ok, %{node: :"ehc@127.0.0.1", apps: %{
  "event_horizon" => %{connected: [], dead: 0, pending: 0},
  "phoenix" => %{connected: [:"phoenix-b@127.0.0.2"], dead: 0, pending: 0}}}}`); got != "true" {
		t.Error("the status is another")
	}
	ask(`{:count, "visits:/blog", "event_horizon"}`, `{:error, :disconnected}`)
	ask(`{:add_comment, "hello", %{at: {2026, 11}}}`, `{:error, {:bad_request, "add_comment: payload.comment.at: {2026,11} cannot be kept…`)
	ask(`{:emit, :x, %{deep: Enum.reduce(1..1000, 1, fn _, a -> [a] end)}}`, `{:error, {:bad_request, "request: decode term…`)
	ask(`:nonsense`, `{:error, {:bad_request, "no such request: nonsense"}}`)

	if got := eh.Eval(`for i <- 1..1000, do: GenServer.cast({:ehc, :"ehc@127.0.0.1"}, {:increment_visit, "/cast", 1, "cast-#{i}"})
:done`); got != ":done" {
		t.Errorf("casts: %s", got)
	}
	c.eventually("the casts are delivered", func() bool { return strings.TrimSpace(c.must("count", "visits:/cast")) == "1000" })
	if got := eh.Eval(`1..200 |> Task.async_stream(fn i -> GenServer.call({:ehc, :"ehc@127.0.0.1"}, {:increment_visit, "/many", 1, "many-#{i}"}, :infinity) end,
  max_concurrency: 50, timeout: :infinity) |> Enum.map(fn {:ok, {:ok, outcome, _}} -> outcome end) |> Enum.uniq() |> Enum.sort()`); got != "[:delivered]" && got != "[:buffered, :delivered]" {
		t.Errorf("many at once: %s", got)
	}

	if got := eh.Eval(`1..5000 |> Task.async_stream(fn i -> GenServer.call({:ehc, :"ehc@127.0.0.1"}, {:count, "visits:/blog"}, :infinity) end,
  max_concurrency: 5000, timeout: :infinity) |> Enum.all?(fn {:ok, {:ok, 3}} -> true; {:ok, {:error, {:unavailable, _}}} -> true; {:ok, {:error, :timeout}} -> true; x -> x end)`); got != "true" {
		t.Errorf("far too many at once: %s", got)
	}

	b.Kill()
	c.eventually("the node is seen down", func() bool { return c.node("phoenix-b@127.0.0.2").Phase != "up" })
	ask(`{:increment_visit, "/blog", 4, "visit-3"}`, `{:ok, :buffered, "visit-3"}`)
	ask(`{:get_realtime_count, "visits:/blog"}`, `{:error, :disconnected}`)
	b.restart()
	c.eventually("what waited is delivered", func() bool { return c.pending("phoenix") == 0 })
	ask(`{:get_realtime_count, "visits:/blog"}`, `{:ok, 7}`)
	ask(`{:increment_visit, "/blog", 4, "visit-3"}`, `{:ok, :delivered, "visit-3"}`)
	ask(`{:get_realtime_count, "visits:/many"}`, `{:ok, 200}`)
	if got := eh.Eval(`Process.alive?(Process.whereis(EventHorizon.Remote.Journal))`); got != "true" {
		t.Errorf("the caller's app: %s", got)
	}
}
