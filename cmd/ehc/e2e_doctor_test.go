package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ehc/controller/api"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

// findings runs a doctor, which has to exit with code.
func (c *cluster) findings(code int, args ...string) []api.Finding {
	c.t.Helper()
	out, got := c.ehc(append([]string{"doctor", "-o", "json"}, args...)...)
	var e api.Examination
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
	if got != code {
		c.t.Errorf("ehc doctor %v: exit %d, want %d\n%s", args, got, code, out)
	}
	return e.Findings
}

// finding is the worst of a check, of an app and of a node.
func finding(all []api.Finding, check, app, node string) api.Finding {
	order := map[string]int{"ok": 1, "warning": 2, "failure": 3}
	var worst api.Finding
	for _, f := range all {
		if f.Check == check && f.App == app && f.Node == node && order[f.Level] > order[worst.Level] {
			worst = f
		}
	}
	return worst
}

// TestDoctorFindsWhatIsWrong goes round real nodes with one thing wrong each,
// without a controller.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	c := newCluster(t)
	good := c.remote("good-1", "127.0.0.2", testCookie)
	// What Phoenix.PubSub does when it starts, with a pool of two.
	good.Eval(`me = self()
spawn(fn ->
  {:ok, _} = :pg.start_link(Phoenix.PubSub)
  for g <- [My.PubSub.Adapter, :"Elixir.My.PubSub.Adapter_2"], do: :ok = :pg.join(Phoenix.PubSub, g, self())
  send(me, :joined)
  Process.sleep(:infinity)
end)
receive do: (:joined -> :ok)`)
	c.remote("stranger-1", "127.0.0.3", "another-cookie")
	c.front("rem-0f3a-good-1", "127.0.0.4") // a machine with nothing but a console
	c.beamAt("named-otherwise", "127.0.0.5", transporttest.FreePort(t))
	bare := beam.Start(t, beam.Options{Name: "bare-1@127.0.0.6", Cookie: testCookie, EPMDPort: c.epmd, Address: addr("127.0.0.6")})
	c.front("bare-1", "127.0.0.6")
	// Phoenix.PubSub without its pg scope, which has died.
	bare.Eval("P = spawn(fun() -> timer:sleep(infinity) end), register('Elixir.Phoenix.PubSub.Supervisor', P)")
	console := beam.Start(t, beam.Options{Name: "rem-0f3a-good-1@127.0.0.4", Cookie: testCookie, EPMDPort: c.epmd, Hidden: true, Address: addr("127.0.0.4")})
	wrong := transporttest.FreePort(t)
	c.beamAt("other", "127.0.0.7", wrong)

	c.dns.Set("good.internal", addr("127.0.0.2"))
	c.dns.Set("cookie.internal", addr("127.0.0.3"))
	c.dns.Set("console.internal", addr("127.0.0.4"))
	c.dns.Set("epmd.internal", addr("127.0.0.5")) // whose EPMD is not there
	c.dns.Set("bare.internal", addr("127.0.0.6"))
	deliver := "  deliver {\n    handler = \"EventHorizon.Remote.Handler.handle_buffered_event/1\"\n  }\n"
	peer := func(name, match string, more string) string {
		return "peer \"" + name + "\" {\n  queries = [\"" + name + ".internal\"]\n  match = \"" + match + "\"\n" + more + "}\n"
	}
	config := c.file("cluster.hcl", peer("good", "good-*", deliver)+peer("cookie", "stranger-*", "")+peer("console", "good-*", "")+
		peer("epmd", "*", "")+peer("bare", "*", deliver)+peer("unmatched", "good-*", "")+peer("nobody", "*", "")+
		static("renamed", "wanted@127.0.0.7", wrong))
	c.dns.Set("unmatched.internal", addr("127.0.0.6"))
	wants := []struct{ check, app, node, level, reason, message, fix string }{
		{"ConfigFile", "", "", "ok", "", "has no fault", ""},
		{"Cookie", "", "", "warning", "", "can be guessed", "ehc cookie"},
		{"NodeName", "", "", "ok", "", "127.0.0.1 is this machine", ""},
		{"Visibility", "", "", "ok", "", "hidden", ""},
		{"DataFolder", "", "", "ok", "", "MiB free", ""},
		{"OwnEPMD", "", "", "ok", "", "lists", ""},

		{"Resolves", "good", "", "ok", "", "1 A from 127.0.0.1:", ""},
		{"EPMD", "good", "", "ok", "", "lists 1 name", ""},
		{"Names", "good", "", "ok", "", "fits good-1", ""},
		{"Handshake", "good", "good-1@127.0.0.2", "ok", "", "visible, incarnation", ""},
		{"OTPRelease", "good", "good-1@127.0.0.2", "ok", "", "OTP ", ""},
		{"TickTime", "good", "good-1@127.0.0.2", "ok", "", "1m0s", ""},
		{"Clock", "good", "good-1@127.0.0.2", "ok", "", "within", ""},
		{"Handler", "good", "good-1@127.0.0.2", "ok", "", "it exports EventHorizon.Remote.Handler.handle_buffered_event/1", ""},
		{"PubSub", "good", "good-1@127.0.0.2", "ok", "", "alive: My.PubSub (pool of 2)", ""},
		{"PubSub", "bare", "bare-1@127.0.0.6", "failure", "", "deaf", "restart the app"},

		{"Handshake", "cookie", "stranger-1@127.0.0.3", "failure", "CookieRejected", "cookie rejected", "RELEASE_COOKIE"},
		{"Names", "console", "", "warning", "", `"rem-0f3a-good-1" is the console`, `match in peer "console"`},
		{"EPMD", "epmd", "", "failure", "", "no EPMD answers", "epmd -names"},
		{"Nodes", "epmd", "", "failure", "", "no node", ""},
		{"Handler", "bare", "bare-1@127.0.0.6", "failure", "", "does not export EventHorizon.Remote.Handler.handle_buffered_event/1", "deploy the handler"},
		{"Names", "unmatched", "", "warning", "", `"bare-1" does not fit match "good-*"`, `match in peer "unmatched"`},
		{"Resolves", "nobody", "", "warning", "", "nothing of this name", "start the app"},
		{"Handshake", "renamed", "wanted@127.0.0.7", "failure", "WrongName", "wrong name", "RELEASE_NODE"},
	}
	var amiss []string
	for range 3 { // an answer that is late is a finding, too
		got := c.findings(2, "-config", config, "-data", t.TempDir())
		amiss = nil
		for _, want := range wants {
			f := finding(got, want.check, want.app, want.node)
			if f.Level != want.level || f.Reason != want.reason || !strings.Contains(f.Message, want.message) || !strings.Contains(f.Fix, want.fix) {
				amiss = append(amiss, fmt.Sprintf("%s of %s %s is %+v, want %+v", want.check, want.app, want.node, f, want))
			}
			if (f.Level == "ok") != (f.Fix == "") {
				amiss = append(amiss, fmt.Sprintf("a fix where nothing is wrong, or none where something is: %+v", f))
			}
		}
		if len(amiss) == 0 {
			break
		}
	}
	if len(amiss) > 0 {
		t.Error(strings.Join(amiss, "\n"))
	}
	c.eventually("the nodes see nobody any more", func() bool {
		return bare.Eval("nodes(connected)") == "[]" && console.Eval("nodes(connected)") == "[]"
	})
	if names := bare.Eval("{ok, L} = erl_epmd:names({127,0,0,1}), [N || {N = \"ehc\" ++ _, _} <- L]"); names != "[]" {
		t.Errorf("EPMD lists %s", names)
	}

	if good := c.findings(0, "good", "-config", config); finding(good, "Handshake", "cookie", "stranger-1@127.0.0.3").Level != "" {
		t.Error("of one app: others are there")
	}
	c.findings(2, "good", "-config", config, "-strict") // the cookie is a warning
	if out, code := c.ehc("doctor", "nosuch", "-config", config); code != 1 || !strings.Contains(out, `no peer block "nosuch"`) {
		t.Errorf("of an app that is not there: %d %s", code, out)
	}
}

// TestASuspensionOutlivesAKill: a controller that was killed leaves a suspended app
// alone when it is back.
func TestASuspensionOutlivesAKill(t *testing.T) {
	c := newCluster(t)
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	config := c.file("cluster.hcl", phoenix)
	c.start(config)
	c.eventually("it is up", func() bool { return c.node(a.Name()).Phase == "up" })
	c.must("suspend", "phoenix")
	c.kill()
	c.start(config)
	c.eventually("the node is held", func() bool {
		p := c.plan()
		return len(p.Held) == 1 && p.Held[0].Node == a.Name() && p.Held[0].Reason == "suspended" && len(p.Actions) == 0
	})
	if s := c.status(); len(s.Suspended) != 1 || s.Suspended[0].App != "phoenix" || s.Nodes[0].Phase != "down" {
		t.Errorf("after the kill: %+v, nodes %+v", s.Suspended, s.Nodes)
	}
	c.must("resume", "phoenix")
	c.eventually("it is up again", func() bool { return c.node(a.Name()).Phase == "up" })
}

// TestDoctorOfARunningController looks from where the controller stands.
func TestDoctorOfARunningController(t *testing.T) {
	c := newCluster(t)
	if out, code := c.ehc("doctor"); code != 1 || !strings.Contains(out, "ehc doctor -config FILE") {
		t.Errorf("without a controller: %d %s", code, out)
	}
	a := c.remote("phoenix-a", "127.0.0.2", testCookie)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	config := c.file("cluster.hcl", phoenix)
	c.start(config)
	c.eventually("it is up", func() bool { return c.condition("phoenix", "Synced").Status == "True" })
	got := c.findings(0)
	for _, check := range []string{"Handshake", "OTPRelease", "Handler", "Clock", "PubSub"} {
		if f := finding(got, check, "phoenix", a.Name()); f.Level != "ok" {
			t.Errorf("%s: %+v", check, f)
		}
	}
	if f := finding(got, "DataFolder", "", ""); f.Level != "ok" || !strings.Contains(f.Message, filepath.Base(c.data())) {
		t.Errorf("data folder: %+v", f)
	}
	if n := c.node(a.Name()); n.Phase != "up" {
		t.Errorf("the doctor has cut the link: %+v", n)
	}
	if err := os.WriteFile(config, []byte("peer {"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.eventually("the broken file is found", func() bool {
		out, code := c.ehc("doctor")
		return code == 2 && strings.Contains(out, "the newest version of the file is not in force") && strings.Contains(out, "fix: ehc validate")
	})
}

// TestAPlanTriesRealNodes: with -probe a plan says of each node that a file would
// connect whether it would take the cookie, and no node keeps a connection.
func TestAPlanTriesRealNodes(t *testing.T) {
	c := newCluster(t)
	open := transporttest.FreePort(t)
	willing := c.beamAt("willing", "127.0.0.2", open)
	other := beam.Start(t, beam.Options{
		Name: "other@127.0.0.3", Cookie: "another-cookie", Address: addr("127.0.0.3"),
		EPMDPort: int(transporttest.FreePort(t)), Args: []string{"-erl_epmd_port", fmt.Sprint(open)},
	})
	c.start(c.file("cluster.hcl", static("ghost", "ghost@127.0.0.1", transporttest.FreePort(t))))
	more := c.file("more.hcl", static("willing", "willing@127.0.0.2", open)+static("other", "other@127.0.0.3", open)+
		"peer \"absent\" {\n  queries = [\"static:absent@127.0.0.4\"]\n}\n") // where no EPMD is
	for node, want := range map[string]string{"willing@127.0.0.2": "", "other@127.0.0.3": "CookieRejected", "absent@127.0.0.4": "Unreachable"} {
		c.eventually(fmt.Sprintf("the probe of %s says %q", node, want), func() bool { // a slow one says TimedOut
			probes := c.plan("-config", more, "-probe").Probes
			return slices.ContainsFunc(probes, func(p api.Probe) bool { return p.Node == node && p.Reason == want && p.OK == (want == "") })
		})
	}
	c.eventually("the nodes see nobody", func() bool {
		return willing.Eval("nodes(connected)") == "[]" && other.Eval("nodes(connected)") == "[]"
	})
	for _, n := range c.status().Nodes {
		if n.Node != "ghost@127.0.0.1" {
			t.Errorf("the plan has changed what the controller knows: %+v", n)
		}
	}
}
