package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"ehc/controller/api"
	"ehc/controller/discover/zone"
)

// phoenix is an app that has the time it needs to take an event, or a busy machine
// would have it come again.
const phoenix = `
peer "phoenix" {
  queries = ["phoenix.internal"]
  match   = "phoenix-*"
  deliver {
    timeout = "5m"
  }
  prune {
    after = "1s"
  }
}
`

// TestMainJob is the whole of it on real nodes: found by DNS and EPMD, planned,
// applied, connected, delivered to, killed, buffered for, drained in order.
func TestMainJob(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))

	c.start(c.file("empty.hcl", ""))
	config := c.file("cluster.hcl", phoenix)
	first := c.must("plan", "-config", config)
	if !strings.Contains(first, "+ connect  phoenix-a@127.0.0.2") {
		t.Errorf("plan does not connect:\n%s", first)
	}
	if second := c.must("plan", "-config", config); second != first {
		t.Errorf("the plan changed though nothing else did:\n%s\n%s", first, second)
	}
	if _, code := c.ehc("plan", "-config", config, "-detailed-exitcode"); code != 2 {
		t.Errorf("plan -detailed-exitcode = %d, want 2", code)
	}
	old := fmt.Sprint(c.plan("-config", config).Index)
	c.must("apply", "-config", config, "-auto-approve", "-check-index", old)
	if out := c.must("plan", "-config", config); !strings.Contains(out, "No changes") {
		t.Errorf("after apply there is still something to do:\n%s", out)
	}
	if out, code := c.ehc("apply", "-config", config, "-auto-approve", "-check-index", old); code != 1 || !strings.Contains(out, "plan again") {
		t.Errorf("apply of an old plan: exit %d\n%s", code, out)
	}
	if n := c.node(a.Name()); n.Phase != "up" || n.App != "phoenix" || n.Release == "" {
		t.Errorf("node = %+v", n)
	}
	if got := a.Eval(`:net_adm.ping(:"ehc@127.0.0.1")`); got != ":pong" {
		t.Errorf("ping from the peer: %s", got)
	}
	if got := a.Eval("Node.list(:hidden)"); !strings.Contains(got, "ehc@127.0.0.1") {
		t.Errorf("Node.list(:hidden) = %s", got)
	}
	if got := a.Eval("Node.list()"); strings.Contains(got, "ehc@") {
		t.Errorf("Node.list() = %s", got)
	}
	c.killAndDrain(a)
}

// killAndDrain emits around a kill -9 of the peer.
func (c *cluster) killAndDrain(a *remote) {
	c.t.Helper()
	var want []string
	emit := func(n int) {
		for range n {
			want = append(want, strings.TrimSpace(c.must("emit", "increment_visit", "page_id=/blog", "delta=1")))
		}
	}
	emit(3)
	c.eventually("the events are delivered", func() bool { return c.pending("phoenix") == 0 })
	a.Kill()
	c.eventually("the node is seen down", func() bool { return c.node(a.Name()).Phase != "up" })
	emit(5)
	if n := c.pending("phoenix"); n != 5 {
		c.t.Errorf("%d events wait, want 5", n)
	}
	if out := c.must("outbox", "list"); !strings.Contains(out, want[3]) {
		c.t.Errorf("outbox list does not show %s:\n%s", want[3], out)
	}
	a.restart()
	c.eventually("the backlog is drained", func() bool { return c.pending("phoenix") == 0 })
	got := c.entries(a)
	if len(got) != len(want) {
		c.t.Fatalf("%d events arrived, want %d: %v", len(got), len(want), got)
	}
	for i, e := range got {
		if e.id != want[i] || e.again {
			c.t.Errorf("event %d is %+v, want %s", i, e, want[i])
		}
	}
}

// TestControllerKilledWithABacklogLosesNothing kills the controller with -9
// while 10,000 events wait, and again in the middle of the drain.
func TestControllerKilledWithABacklogLosesNothing(t *testing.T) {
	c := newCluster(t)
	config := c.file("cluster.hcl", phoenix)
	c.start(config)
	client := api.NewClient(api.SocketIn(c.data()))
	var want []string
	for range 100 {
		var events []api.Event
		for range 100 {
			events = append(events, api.Event{Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`)})
		}
		answer, err := client.Emit(t.Context(), api.EmitRequest{Events: events})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, answer.IDs...)
	}
	client.Close()
	c.kill()
	c.start(config)
	if n := c.pending("phoenix"); n != len(want) {
		t.Fatalf("%d events wait after kill -9, want %d", n, len(want))
	}

	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.eventually("the drain has begun", func() bool { return len(c.entries(a)) > 100 })
	c.kill()
	c.start(config)
	c.eventually("the backlog is drained", func() bool { return c.pending("phoenix") == 0 })

	var once []string
	for _, e := range c.entries(a) {
		if !e.again { // what came again has the id of one that came before
			once = append(once, e.id)
		}
	}
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

// TestDNSFaultsCutNothing: only an answer may prune, and only one with nodes in it.
func TestDNSFaultsCutNothing(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	b := c.remote("phoenix-b", "127.0.0.3", testCookie)
	name := "phoenix.internal"
	c.dns.Set(name, addr("127.0.0.2"), addr("127.0.0.3"))
	c.start(c.file("cluster.hcl", phoenix))
	up := func(r *remote) bool { return c.node(r.Name()).Phase == "up" }
	c.eventually("both nodes are up", func() bool { return up(a) && up(b) })
	since := c.node(a.Name()).Since

	for _, fault := range []zone.Fault{zone.ServFail, zone.Refused, zone.Silence, zone.TruncateClosed, zone.Garbage} {
		asked := c.dns.Questions()
		c.dns.Fail(name, fault)
		c.eventually("the fault is seen", func() bool {
			return c.dns.Questions() > asked+4 && c.condition("phoenix", "Discovered").Reason == "LookupFailed"
		})
		if !up(a) || !up(b) || c.node(a.Name()).Since != since {
			t.Errorf("fault %v changed a connection", fault)
		}
		c.dns.Clear(name)
		c.dns.Set(name, addr("127.0.0.2"), addr("127.0.0.3"))
		c.eventually("the lookup works again", func() bool { return c.condition("phoenix", "Discovered").Status == "True" })
	}

	c.dns.Set(name, addr("127.0.0.2"))
	c.eventually("the node that is listed no longer is pruned", func() bool { return !up(b) })
	if !up(a) {
		t.Error("the listed node was cut as well")
	}
	b.Await("Node.list(:hidden)", "[]")

	c.dns.Set(name) // the name is there, without an address
	c.eventually("the hold is shown", func() bool {
		p := c.plan()
		return len(p.Held) == 1 && p.Held[0].Node == a.Name() && strings.Contains(p.Held[0].Reason, "no nodes")
	})
	if !up(a) {
		t.Error("an empty answer cut the last node")
	}
	c.must("apply", "-prune-held", "-auto-approve")
	c.eventually("the approved prune is done", func() bool { return !up(a) })
}

func (c *cluster) condition(app, kind string) api.Condition {
	c.t.Helper()
	for _, a := range c.status().Apps {
		for _, cond := range a.Conditions {
			if a.App == app && cond.Type == kind {
				return cond
			}
		}
	}
	return api.Condition{}
}

// TestWrongCookieIsNamed: status and plan say so, and the secret is nowhere.
func TestWrongCookieIsNamed(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", "another-cookie")
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.start(c.file("cluster.hcl", phoenix))
	c.eventually("the rejection is seen", func() bool { return c.node(a.Name()).Reason == "CookieRejected" })
	if out := c.must("status"); !strings.Contains(out, "cookie rejected") {
		t.Errorf("status does not name the cause:\n%s", out)
	}
	c.eventually("the plan names the cause", func() bool { return strings.Contains(c.must("plan"), "cookie rejected") })
}

// TestBrokenFileKeepsTheLastGoodOne: a reload of a file with errors changes nothing
// and says so; a good one is put in force, by its change alone.
func TestBrokenFileKeepsTheLastGoodOne(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	config := c.file("cluster.hcl", phoenix)
	c.start(config)
	c.eventually("the node is up", func() bool { return c.node(a.Name()).Phase == "up" })

	c.file("cluster.hcl", strings.Replace(phoenix, "queries", "qurey", 1))
	c.eventually("the fault is shown", func() bool { return strings.Contains(c.status().Config.Error, "qurey") })
	if c.node(a.Name()).Phase != "up" {
		t.Error("a broken file cut a connection")
	}
	c.file("cluster.hcl", phoenix+`peer "more" { queries = ["static:more@127.0.0.9"] }`)
	c.eventually("the new app is there", func() bool { return c.condition("more", "Discovered").Type != "" })
	if c.status().Config.Error != "" {
		t.Error("the fault is still shown")
	}
	reloads := strings.Count(c.log.String(), "reloaded")
	if err := c.run.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.eventually("SIGHUP has the file read again", func() bool { return strings.Count(c.log.String(), "reloaded") > reloads })
	if out, code := c.ehc("validate", "-config", c.file("bad.hcl", "peer {}")); code != 1 || !strings.Contains(out, "bad.hcl:") {
		t.Errorf("validate: exit %d\n%s", code, out)
	}
	if b, err := os.ReadFile(c.data() + "/applied.json"); err != nil || strings.Contains(string(b), testCookie) {
		t.Errorf("the file in force holds the cookie, or is gone: %v", err)
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
