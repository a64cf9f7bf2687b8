package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/transport/transporttest/beam"
)

// phoenixNode is an Elixir node with Phoenix.PubSub, with a pool of this size, or
// without any.
func (c *cluster) phoenixNode(paths []string, name string, pool int) *beam.Node {
	c.t.Helper()
	n := beam.Start(c.t, beam.Options{Name: name + "@127.0.0.1", Cookie: testCookie, EPMDPort: c.epmd, Elixir: true, Paths: paths})
	if pool > 0 {
		n.Eval(fmt.Sprintf("Ehc.PubSubApp.start([{MyApp.PubSub, %d}])", pool))
	}
	return n
}

// pubsub is the word for how a node stands with PubSub.
func (c *cluster) pubsub(n *beam.Node) string {
	for _, x := range c.node(n.Name()).Conditions {
		if x.Type == "PubSub" {
			return x.Reason
		}
	}
	return ""
}

const pubsubBlocks = `
peer "phoenix" { queries = ["static:phoenix@127.0.0.1", "static:poor@127.0.0.1"] }
peer "events" { queries = ["static:events@127.0.0.1", "static:plain@127.0.0.1"] }
receive {}
pubsub "MyApp.PubSub" { topics = ["metrics:*"] }
`

// TestPubSubGoesThroughTheController: two apps, connected to each other as well, and
// the shell.
func TestPubSubGoesThroughTheController(t *testing.T) {
	c := newCluster(t)
	paths := beam.PubSub(t)
	phoenix, events := c.phoenixNode(paths, "phoenix", 4), c.phoenixNode(paths, "events", 4)
	poor, plain := c.phoenixNode(paths, "poor", 2), c.phoenixNode(paths, "plain", 0)
	if got := events.Eval(`Node.connect(:"phoenix@127.0.0.1")`); got != "true" {
		t.Fatalf("connect: %s", got)
	}
	// Each app has a member of the other's in every group, and one of ehc's.
	const members, both = "Ehc.PubSubApp.members(MyApp.PubSub, 4)", "[2, 2, 2, 2]"
	const scopes = "Ehc.PubSubApp.alive([{MyApp.PubSub, 4}])"
	alive := [2]string{phoenix.Eval(scopes), events.Eval(scopes)}
	config := c.file("cluster.hcl", pubsubBlocks)
	c.start(config)
	for n, want := range map[*beam.Node]string{phoenix: "PubSubJoined", events: "PubSubJoined", poor: "PubSubPoolDiffers", plain: "PubSubDeaf"} {
		c.eventually(n.Name()+" is "+want, func() bool { return c.pubsub(n) == want })
	}
	if w := strings.Join(c.plan().Warnings, "\n"); !strings.Contains(w, "poor@127.0.0.1: PubSubPoolDiffers: ") || !strings.Contains(w, "plain@127.0.0.1: PubSubDeaf: ") {
		t.Errorf("plan warns: %s", w)
	}

	for _, n := range []*beam.Node{phoenix, events} {
		n.Eval(`Ehc.PubSubApp.listen(:listener, MyApp.PubSub, ["metrics:y", "metrics:visits:/blog"])`)
	}
	c.shellToApps(phoenix, events)
	for _, n := range []*beam.Node{phoenix, events} {
		n.Await(members, both)
	}
	c.appsToShell(phoenix, events)

	c.stop() // the members of the one that goes are those of nobody, and of the next once
	c.start(config)
	for _, n := range []*beam.Node{phoenix, events} {
		c.eventually(n.Name()+" has joined again", func() bool { return c.pubsub(n) == "PubSubJoined" })
		n.Await(members, both)
	}
	c.appsToShell(phoenix, events)
	if now := [2]string{phoenix.Eval(scopes), events.Eval(scopes)}; now != alive {
		t.Errorf("a scope or a worker has died: %s, before %s", now, alive)
	}
}

// shellToApps broadcasts from the shell, and counts: each app hears it once.
func (c *cluster) shellToApps(phoenix, events *beam.Node) {
	c.t.Helper()
	if got := c.must("broadcast", "metrics:y", `{"n":1}`, "-event", "visit"); got != "Broadcast on MyApp.PubSub to 4 nodes.\n" {
		c.t.Errorf("broadcast: %q", got)
	}
	if got := c.must("broadcast", "metrics:y", `{"$atom":"last"}`, "-app", "phoenix"); got != "Broadcast on MyApp.PubSub to 2 nodes.\n" {
		c.t.Errorf("broadcast to an app: %q", got)
	}
	events.Eval(`:ok = :erpc.call(:"ehc@127.0.0.1", EventHorizon.Remote.Handler, :handle_buffered_event,
		[%{event_id: "01A", type: :increment_visit, payload: %{page_id: "/blog", delta: 2}}])`)
	const broadcast = `%{__struct__: Phoenix.Socket.Broadcast, topic: "metrics:y", event: "visit", payload: %{"n" => 1}}`
	const counted = `{:metric_updated, %{key: "visits:/blog", name: "visits", count: 2}}`
	for n, want := range map[*beam.Node]string{
		phoenix: "[" + broadcast + ", :last, " + counted + "]",
		events:  "[" + broadcast + ", " + counted + "]",
	} {
		count := strings.Count(want, ", :last") + 2
		if got := n.Eval(fmt.Sprintf("got = Ehc.PubSubApp.take(:listener, %d); if got == %s, do: :same, else: got", count, want)); got != ":same" {
			c.t.Errorf("%s has heard %s, want %s", n.Name(), got, want)
		}
	}
}

// appsToShell broadcasts on both nodes, each from fifty processes: the shell shows
// each message once, in the order of its process.
func (c *cluster) appsToShell(phoenix, events *beam.Node) {
	c.t.Helper()
	const processes, each = 50, 4
	phoenix.Eval(fmt.Sprintf(`Ehc.PubSubApp.flood(MyApp.PubSub, "metrics:phoenix", %d, %d)`, processes, each))
	events.Eval(fmt.Sprintf(`Ehc.PubSubApp.flood(MyApp.PubSub, "metrics:events", %d, %d)`, processes, each))
	phoenix.Eval(`Phoenix.PubSub.broadcast(MyApp.PubSub, "secret", :not_kept)`)
	seen := map[string]int{}
	for _, topic := range []string{"metrics:phoenix", "metrics:events"} {
		out := c.must("watch", topic, "-after", "the-beginning", "-limit", fmt.Sprint(processes*each), "-o", "json")
		next := map[int]int{}
		for line := range strings.Lines(out) {
			var m struct {
				api.TopicMessage
				Lost *api.Lost
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				c.t.Fatalf("%s: %v", line, err)
			}
			if m.Lost != nil {
				continue // it knows no beginning
			}
			var pair [2]int
			if err := json.Unmarshal(m.Message, &pair); err != nil || pair[1] != next[pair[0]]+1 || m.Node != strings.TrimPrefix(topic, "metrics:")+"@127.0.0.1" {
				c.t.Fatalf("after %v came %s (%v)", next, line, err)
			}
			next[pair[0]]++
			seen[topic]++
		}
	}
	if diff := cmp.Diff(map[string]int{"metrics:phoenix": processes * each, "metrics:events": processes * each}, seen); diff != "" {
		c.t.Errorf("-want +seen:\n%s", diff)
	}
	if out, code := c.ehc("watch", "secret"); code != 1 || !strings.Contains(out, `topic "secret" of MyApp.PubSub is not kept`) {
		c.t.Errorf("watch of a topic that is not kept: %d %s", code, out)
	}
}
