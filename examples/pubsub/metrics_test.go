// Package pubsub_test proves the module of this folder on real Elixir nodes with a
// real controller between them.
package pubsub_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/transport/transporttest/beam"
)

const cookie = "pubsub-example"

// world is two apps and ehc between them, all on 127.0.0.1.
type world struct {
	t       testing.TB
	dir     string
	epmd    int
	bin     string
	ehc     *exec.Cmd
	horizon *beam.Node // the app that has the module
	phoenix *beam.Node // the app that is written to
}

func newWorld(t *testing.T) *world {
	beam.Need(t)
	dir, err := os.MkdirTemp("", "ehc-pubsub-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, epmd: beam.EPMD(t), bin: filepath.Join(dir, "ehc")}
	if out, err := exec.Command("go", "build", "-o", w.bin, "../../cmd/ehc").CombinedOutput(); err != nil {
		t.Fatalf("build ehc: %v\n%s", err, out)
	}
	config := fmt.Sprintf(`node {
  name      = "ehc@127.0.0.1"
  cookie    = env("COOKIE")
  epmd_port = %d
}
dns { interval = "200ms" }
peer "phoenix" {
  queries = ["static:phoenix@127.0.0.1"]
  deliver {}
}
peer "event_horizon" {
  queries = ["static:event_horizon@127.0.0.1"]
}
rpc { allow = ["Remote.Metrics.get_count/1"] }
pubsub "EventHorizon.PubSub" {
  topics = ["metrics:*"]
  relay  = true
}
`, w.epmd)
	if err := os.WriteFile(filepath.Join(dir, "cluster.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.stop)
	w.start()
	pubsub := beam.PubSub(t)
	w.horizon = w.node("event_horizon@127.0.0.1", slices.Concat(pubsub, []string{beam.CompileElixir(t, "remote_metrics.ex")})...)
	w.horizon.Eval(`Application.put_env(:event_horizon, :ehc_node, :"ehc@127.0.0.1")`)
	w.phoenix = w.node("phoenix@127.0.0.1", slices.Concat(pubsub, []string{beam.CompileElixir(t, "../outbox/remote_handler.ex", "testdata/counts.ex")})...)
	w.open()
	return w
}

func (w *world) node(name string, paths ...string) *beam.Node {
	return beam.Start(w.t, beam.Options{Name: name, Cookie: cookie, EPMDPort: w.epmd, Elixir: true, Paths: paths})
}

// open starts the receiver of the app that is written to.
func (w *world) open() {
	w.phoenix.Eval(fmt.Sprintf("Remote.Metrics.start(%q)", filepath.Join(w.dir, "events")))
}

// start runs ehc and returns once it answers.
func (w *world) start() {
	w.t.Helper()
	w.ehc = exec.Command(w.bin, "run", "-config", filepath.Join(w.dir, "cluster.hcl"), "-data", filepath.Join(w.dir, "data"))
	w.ehc.Env = append(os.Environ(), "COOKIE="+cookie)
	log, err := os.Create(filepath.Join(w.dir, "ehc.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	w.ehc.Stdout, w.ehc.Stderr = log, log
	if err := w.ehc.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("ehc answers", func() bool { _, err := w.status(); return err == nil })
}

func (w *world) stop() {
	if w.ehc == nil {
		return
	}
	_ = w.ehc.Process.Signal(syscall.SIGTERM)
	_ = w.ehc.Wait()
	w.ehc = nil
	if text, err := os.ReadFile(filepath.Join(w.dir, "ehc.log")); err == nil && w.t.Failed() {
		w.t.Logf("ehc's log:\n%s", text)
	}
}

func (w *world) status() (api.Status, error) {
	client := api.NewClient(api.SocketIn(filepath.Join(w.dir, "data")))
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return client.Status(ctx)
}

// connected says whether ehc and the app that is written to are.
func (w *world) connected() bool {
	return w.horizon.Eval(`EventHorizon.Remote.Metrics.connected?("phoenix")`) == "true"
}

// patience bounds a hang. It is far past what a busy machine needs.
const patience = 5 * time.Minute

// eventually waits for a condition.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-pause.C:
		case <-limit.C:
			w.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// wants fails the test unless a function of the module answers so. ehc waits three
// seconds for an app: then a write is buffered, and a read is asked for again.
func (w *world) wants(want, call string) {
	w.t.Helper()
	var got string
	for range 5 {
		got = w.horizon.Eval("EventHorizon.Remote.Metrics." + call)
		if start, cut := strings.CutSuffix(want, "…"); got == want || cut && strings.HasPrefix(got, start) {
			return
		}
		if want == ":ok" && strings.HasPrefix(got, "{:buffered, ") {
			w.eventually("it is delivered", func() bool {
				s, err := w.status()
				return err == nil && !slices.ContainsFunc(s.Outbox, func(q api.OutboxApp) bool { return q.Pending > 0 })
			})
			return
		}
		if !strings.HasPrefix(call, "get_") {
			break
		}
	}
	w.t.Errorf("%s is %s, want %s", call, got, want)
}

func TestTheModuleWritesAndReads(t *testing.T) {
	w := newWorld(t)
	w.eventually("the apps are connected", w.connected)
	w.wants(":ok", `increment_visit("/blog")`)
	w.wants(":ok", `increment_visit("/blog", 41, id: "once")`)
	w.wants(":ok", `increment_visit("/blog", 41, id: "once")`)
	w.wants("{:ok, 42}", `get_realtime_count("visits:/blog")`)
	w.wants(":ok", `update_likes("hello", -1)`)
	w.wants("{:ok, -1}", `get_realtime_count("likes:hello")`)
	w.wants(":ok", `add_comment("hello", %{author: "Ada", body: "Nice.", at: DateTime.utc_now()})`)
	w.wants("{:ok, 1}", `get_realtime_count("comments:hello")`)
	w.wants(":ok", `emit(:increment_visit, %{page_id: "/about", delta: 3})`)
	w.wants("{:ok, 3}", `get_realtime_count("visits:/about")`)
	w.wants("{:error, {:bad_request, …", `add_comment("hello", %{at: {2026, 11}})`)
	w.wants("{:error, {:remote, :error, …", `get_realtime_count("nonsense")`)

	w.phoenix.Kill()
	w.eventually("the loss is seen", func() bool { return !w.connected() })
	w.wants(`{:buffered, "later"}`, `increment_visit("/blog", 8, id: "later")`)
	w.wants("{:error, :disconnected}", `get_realtime_count("visits:/blog")`)
	w.phoenix.Restart()
	w.open()
	w.eventually("what waited is counted", func() bool {
		return w.horizon.Eval(`EventHorizon.Remote.Metrics.get_realtime_count("visits:/blog")`) == "{:ok, 50}"
	})
	w.wants(":ok", `increment_visit("/blog", 8, id: "later")`)
}

func TestWithoutEhcEverythingIsDisconnected(t *testing.T) {
	w := newWorld(t)
	w.eventually("the apps are connected", w.connected)
	w.wants(":ok", `increment_visit("/blog", 1, id: "before")`)
	_ = w.ehc.Process.Kill()
	_ = w.ehc.Wait()
	w.ehc = nil
	w.wants("{:error, :disconnected}", `increment_visit("/blog", 2, id: "meanwhile")`)
	w.wants("{:error, :disconnected}", `get_realtime_count("visits:/blog")`)
	w.wants("false", `connected?("phoenix")`)
	w.start()
	w.eventually("the apps are connected again", w.connected)
	w.wants(":ok", `increment_visit("/blog", 2, id: "meanwhile")`)
	w.wants("{:ok, 3}", `get_realtime_count("visits:/blog")`)
}

// TestTheModuleSubscribes: a broadcast of the other app reaches who has subscribed here,
// although the apps are not connected, and none after that.
func TestTheModuleSubscribes(t *testing.T) {
	w := newWorld(t)
	for _, n := range []*beam.Node{w.horizon, w.phoenix} {
		n.Eval(`Ehc.PubSubApp.start([{EventHorizon.PubSub, 1}])`)
	}
	w.horizon.Eval(`me = self()
spawn(fn ->
  Process.register(self(), :subscriber)
  :ok = EventHorizon.Remote.Metrics.subscribe_to_metrics("visits:/blog")
  send(me, :subscribed)
  receive do message -> Process.put(:got, message) end
  :ok = EventHorizon.Remote.Metrics.unsubscribe_from_metrics("visits:/blog")
  Process.sleep(:infinity)
end)
receive do: (:subscribed -> :ok)`)
	got := func() string {
		return w.horizon.Eval(`Process.info(Process.whereis(:subscriber), :dictionary) |> elem(1) |> Keyword.get(:got)`)
	}
	w.eventually("a broadcast arrives", func() bool {
		w.phoenix.Eval(`Phoenix.PubSub.broadcast(EventHorizon.PubSub, "metrics:visits:/other", :other)`)
		w.phoenix.Eval(`Phoenix.PubSub.broadcast(EventHorizon.PubSub, "metrics:visits:/blog", {:count, 42})`)
		return got() != "nil"
	})
	if got() != "{:count, 42}" {
		t.Errorf("got %s", got())
	}
	if nodes := w.horizon.Eval(`Node.list(:connected)`); nodes != `[:"ehc@127.0.0.1"]` {
		t.Errorf("event_horizon is connected to %s", nodes)
	}
	w.eventually("the subscription has ended", func() bool {
		return w.horizon.Eval(`Registry.keys(EventHorizon.PubSub, Process.whereis(:subscriber))`) == "[]"
	})
}
