package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"ehc/controller/api"
)

const allowed = phoenix + `
peer "event_horizon" {
  queries = ["event-horizon.internal"]
}
rpc {
  timeout = "2m"
  allow = ["Remote.Metrics.get_count/1", "String.upcase/1", "String.to_existing_atom/1", "timer.sleep/1", "erlang.exit/1"]
}
`

// TestAnUnchangedAppIsCountedAndCalled: a Phoenix app as it is, with the design's
// example of a file.
func TestAnUnchangedAppIsCountedAndCalled(t *testing.T) {
	c := newCluster(t)
	c.dns.Set("phoenix.internal", addr("127.0.0.2"))
	c.dns.Set("event-horizon.internal")
	c.start(c.file("cluster.hcl", allowed))
	if out, code := c.ehc("count", "visits:/blog"); code != 1 || !strings.Contains(out, "phoenix: no node is connected") {
		t.Errorf("count without a node: exit %d\n%s", code, out)
	}
	b := c.remote("phoenix-b", "127.0.0.2", testCookie)
	c.eventually("the node is connected", func() bool { return c.node("phoenix-b@127.0.0.2").Phase == "up" })

	c.must("emit", "increment_visit", "page_id=/blog", "delta=41", "-wait", "delivered")
	c.must("emit", "increment_visit", "page_id=/blog", "delta=1", "-wait", "delivered")
	for _, args := range [][]string{{"count", "visits:/blog"}, {"count", "visits:/blog", "-app", "phoenix"}} {
		if got := c.must(args...); got != "42\n" {
			t.Errorf("ehc %q: %q", args, got)
		}
	}
	if got := c.must("call", "String.upcase", "straße", "-app", "phoenix"); got != "<<\"STRASSE\">>\n" {
		t.Errorf("call: %q", got)
	}
	if got := c.must("call", "String.upcase", "é", "-node", "phoenix-b@127.0.0.2", "-o", "json"); !strings.Contains(got, `"value": "É"`) {
		t.Errorf("call -o json: %s", got)
	}
	for want, args := range map[string][]string{
		"say which app: cluster.hcl has event_horizon, phoenix": {"call", "String.upcase", "x"},
		`add it to cluster.hcl: rpc { allow = ["os.cmd/1"] }`:   {"call", "os.cmd", `"id"`, "-app", "phoenix"},
		"event_horizon: no node is connected":                   {"count", "visits:/blog", "-app", "event_horizon"},
		"erlang.binary_to_existing_atom/":                       {"call", "String.to_existing_atom", "nobody made this atom", "-app", "phoenix"},
		"no answer within 200ms":                                {"call", "timer.sleep", "30000", "-app", "phoenix", "-timeout", "200ms"},
		"raised exit: #{<<\"why\">> => 1}":                      {"call", "erlang.exit", `{"why":1}`, "-app", "phoenix"},
	} {
		if out, code := c.ehc(args...); code != 1 || !strings.Contains(out, want) {
			t.Errorf("ehc %q: exit %d\n%s", args, code, out)
		}
	}
	client := api.NewClient(api.SocketIn(c.data()))
	defer client.Close()
	_, err := client.Call(t.Context(), api.CallRequest{Function: "erlang.exit", Args: rawArgs(`{"$atom":"gone"}`), App: "phoenix"})
	var remote *api.RemoteError
	if !errors.As(err, &remote) || remote.Class != "exit" || remote.Reason != "gone" || string(remote.Value) != `"gone"` {
		t.Errorf("an exit: %v", err)
	}
	b.Kill()
	c.eventually("the node is seen down", func() bool { return c.node("phoenix-b@127.0.0.2").Phase != "up" })
	if _, err := client.Counts(t.Context(), api.CountsQuery{Key: "visits:/blog"}); !errors.Is(err, api.ErrDisconnected) {
		t.Errorf("count without a node: %v", err)
	}
}

func rawArgs(texts ...string) (args []json.RawMessage) {
	for _, t := range texts {
		args = append(args, json.RawMessage(t))
	}
	return args
}
