package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

const callText = worldText + `
dns {
  servers = ["127.0.0.1:1"] # where nobody answers the doctor
  timeout = "100ms"
}
rpc {
  allow = ["Remote.Metrics.get_count/1", "Remote.Metrics.fail/1", "my_mod.add/2"]
}
`

// callWorld is a world with two nodes of app a that can be called.
func callWorld(t *testing.T) (w *world, a1, a2 *transporttest.Node) {
	w = newWorldOf(t, callText)
	a1, a2 = w.callable("a1@127.0.0.1"), w.callable("a2@127.0.0.1")
	w.list("a1@127.0.0.1", "a2@127.0.0.1")
	w.settle(time.Second)
	return w, a1, a2
}

// callable is a node with functions to call.
func (w *world) callable(name string) *transporttest.Node {
	n := w.peer(name, nil)
	metrics := func(name string, h transport.Handler) {
		n.Handle(transport.Function{Module: "Elixir.Remote.Metrics", Name: name, Arity: 1}, h)
	}
	metrics("get_count", func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		switch args[0] {
		case transport.Term("tuple"):
			return etf.Tuple{etf.Atom("ok"), 7}, nil
		case transport.Term("text"):
			return "seven", nil
		}
		return 1234, nil
	})
	metrics("fail", func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		switch args[0] {
		case transport.Term("kill"):
			return nil, &transport.SignalError{Reason: etf.Atom("killed"), Text: "killed"}
		case transport.Term("full"):
			return nil, &transport.SpawnError{Reason: "system_limit"}
		case transport.Term("break"):
			n.Break()
		}
		stack := etf.List{etf.Tuple{etf.Atom("Elixir.Remote.Metrics"), etf.Atom("fail"), etf.List{"secret"}, etf.List{
			etf.Tuple{etf.Atom("file"), chars("lib/m.ex")}, etf.Tuple{etf.Atom("line"), 7}}}, etf.Atom("odd")}
		reason := etf.Tuple{etf.Atom("no"), args[0]}
		return nil, &transport.RaisedError{Class: "error", Reason: reason, Stack: stack, Text: etf.Text(reason)}
	})
	n.Handle(transport.Function{Module: "my_mod", Name: "add", Arity: 2}, func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		return etf.Tuple{etf.Atom("sum"), args[0].(int) + args[1].(int)}, nil
	})
	return n
}

func chars(text string) etf.List {
	var l etf.List
	for _, c := range text {
		l = append(l, int(c))
	}
	return l
}

func request(function string, args ...string) api.CallRequest {
	r := api.CallRequest{Function: function}
	for _, a := range args {
		r.Args = append(r.Args, json.RawMessage(a))
	}
	return r
}

// problemIn is the Problem in err, with its status and reason as text.
func problemIn(t *testing.T, err error) (*api.Problem, string) {
	t.Helper()
	var p *api.Problem
	if !errors.As(err, &p) {
		t.Fatalf("want a problem, got %v", err)
	}
	return p, fmt.Sprintf("%d %s", p.Status, p.Reason)
}

func TestACallReturnsWhatTheFunctionDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, a2 := callWorld(t)
		got, err := w.ctl.Call(t.Context(), request("my_mod.add", "1", "2"))
		want := api.Called{Node: "a1@127.0.0.1", Value: json.RawMessage(`["sum",3]`), Text: "{sum,3}"}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
		r := request("Remote.Metrics.get_count/1", `"visits:/"`)
		r.Node = "a2@127.0.0.1"
		if got, err := w.ctl.Call(t.Context(), r); err != nil || got.Node != r.Node || got.Text != "1234" {
			t.Errorf("on a node: %+v, %v", got, err)
		}
		if a1.Calls("my_mod:add") != 1 || a2.Calls("Elixir.Remote.Metrics:get_count") != 1 {
			t.Error("not called once each")
		}
	})
}

func TestOnlyWhatIsAllowedIsCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, _ := callWorld(t)
		for _, function := range []string{"os.cmd/1", "Remote.Metrics.get_counts/1", "Elixir.Remote.Metrics2.get_count/1"} {
			_, err := w.ctl.Call(t.Context(), request(function, `"x"`))
			p, code := problemIn(t, err)
			if code != "403 NotAllowed" || !errors.Is(err, api.ErrNotAllowed) {
				t.Errorf("%s: %s", function, code)
			}
			if hint := fmt.Sprintf("rpc { allow = [%q] }", strings.TrimPrefix(function, "Elixir.")); !strings.Contains(p.Detail, hint) {
				t.Errorf("%q does not say to add %s", p.Detail, hint)
			}
		}
		if a1.Calls("os:cmd") != 0 {
			t.Error("it was called all the same")
		}
		_, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: worldText + `rpc { allow = ["os.cmd/1"] }`})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ctl.Call(t.Context(), request("my_mod.add", "1", "2")); !errors.Is(err, api.ErrNotAllowed) {
			t.Errorf("after a reload without it: %v", err)
		}
		if _, err := w.ctl.Call(t.Context(), request("os.cmd", `"id"`)); errors.Is(err, api.ErrNotAllowed) {
			t.Errorf("after a reload with it: %v", err)
		}
	})
}

func TestWhyACallGivesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, a2 := callWorld(t)
		call := func(arg string) (*api.Problem, string, error) {
			r := request("Remote.Metrics.fail", arg)
			r.TimeoutMillis = 250
			_, err := w.ctl.Call(t.Context(), r)
			p, code := problemIn(t, err)
			return p, code, err
		}
		var remote *api.RemoteError

		p, code, err := call(`"x"`)
		if code != "502 RemoteError" || !errors.As(err, &remote) {
			t.Fatalf("raised: %s %v", code, err)
		}
		want := &api.RemoteError{
			Node: "a1@127.0.0.1", Class: "error", Reason: `{no,<<"x">>}`, Value: json.RawMessage(`["no","x"]`),
			Stack: []string{"Remote.Metrics.fail/1 (lib/m.ex:7)"},
		}
		if diff := cmp.Diff(want, p.Remote); diff != "" {
			t.Errorf("raised: -want +got:\n%s", diff)
		}
		if p, code, _ := call(`"kill"`); code != "502 RemoteError" || p.Remote.Class != "killed" || p.Remote.Reason != "killed" {
			t.Errorf("killed: %s %+v", code, p.Remote)
		}
		if p, code, _ := call(`"full"`); code != "502 RemoteError" || p.Remote.Class != "not_started" || p.Remote.Reason != "system_limit" {
			t.Errorf("not started: %s %+v", code, p.Remote)
		}
		a1.Freeze()
		if p, code, err := call(`"x"`); code != "504 TimedOut" || !errors.Is(err, api.ErrTimeout) || !strings.Contains(p.Detail, "250ms") {
			t.Errorf("no answer: %s %v", code, err)
		}
		a1.Thaw()
		if _, code, err := call(`"break"`); code != "503 ConnectionLost" || !errors.Is(err, api.ErrDisconnected) || !errors.Is(err, api.ErrUnknownOutcome) {
			t.Errorf("a lost connection: %s %v", code, err)
		}
		if n := a2.Calls("Elixir.Remote.Metrics:fail"); n != 0 {
			t.Errorf("another node was called %d times although the outcome was unknown", n)
		}
		w.settle(time.Minute)

		a1.Kill()
		a2.Kill()
		a1.Refuse(transport.ErrCookie)
		w.settle(time.Minute)
		p, code, err = call(`"x"`)
		if code != "503 Disconnected" || !errors.Is(err, api.ErrDisconnected) || errors.Is(err, api.ErrUnknownOutcome) {
			t.Errorf("no node: %s %v", code, err)
		}
		if !strings.Contains(p.Detail, "a1@127.0.0.1: cookie rejected") {
			t.Errorf("it does not say why: %s", p.Detail)
		}
		r := request("my_mod.add", "1", "2")
		r.Node = "a1@127.0.0.1"
		if _, err := w.ctl.Call(t.Context(), r); !errors.Is(err, api.ErrDisconnected) {
			t.Errorf("a node that is down: %v", err)
		}
	})
}

func TestRequestsThatMakeNoSenseAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, _ := callWorld(t)
		with := func(r api.CallRequest, change func(*api.CallRequest)) api.CallRequest { change(&r); return r }
		add := request("my_mod.add", "1", "2")
		for name, r := range map[string]api.CallRequest{
			"no function":                 request("", "1"),
			"no module":                   request("add", "1", "2"),
			"another arity":               request("my_mod.add/2", "1"),
			"an argument that is no JSON": request("my_mod.add", "1", "{"),
			"an unknown form":             request("my_mod.add", "1", `{"$pid": "<0.1.0>"}`),
			"an app and a node":           with(add, func(r *api.CallRequest) { r.App, r.Node = "a", "a1@127.0.0.1" }),
			"an app that there is not":    with(add, func(r *api.CallRequest) { r.App = "b" }),
			"a time that is negative":     with(add, func(r *api.CallRequest) { r.TimeoutMillis = -1 }),
		} {
			_, err := w.ctl.Call(t.Context(), r)
			if p, _ := problemIn(t, err); p.Status != 400 && p.Status != 422 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := a1.Calls("my_mod:add"); n != 0 {
			t.Errorf("called %d times", n)
		}
	})
}

func TestTheEndOfARequestIsNotATimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, _ := callWorld(t)
		a1.Freeze()
		defer a1.Thaw()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := w.ctl.Call(ctx, request("my_mod.add", "1", "2")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhereACountComesFrom(t *testing.T) {
	const one = `
peer "b" {
  queries = ["b.internal"]
}
`
	const plain = `
node {
  name   = "ehc@127.0.0.1"
  cookie = env("COOKIE")
}
rpc { allow = ["Remote.Metrics.get_count/1"] }
`
	ask := func(t *testing.T, text string, q api.CountsQuery) (api.Counts, error) {
		var got api.Counts
		var err error
		synctest.Test(t, func(t *testing.T) {
			w := newWorldOf(t, text)
			w.callable("a1@127.0.0.1")
			w.callable("b1@127.0.0.1")
			w.list("a1@127.0.0.1")
			w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1"}
			if strings.Contains(text, "b.internal") {
				if err := w.look.look(w.store, "b", "b.internal"); err != nil {
					t.Fatal(err)
				}
			}
			w.settle(time.Second)
			got, err = w.ctl.Counts(t.Context(), q)
		})
		return got, err
	}
	peerA := `peer "a" { queries = ["a.internal"] }`
	for name, c := range map[string]struct {
		text, app, node, problem string
	}{
		"the app that gets events":      {callText + one, "", "a1@127.0.0.1", ""},
		"the app that is named":         {callText + one, "b", "b1@127.0.0.1", ""},
		"the only app":                  {plain + peerA, "", "a1@127.0.0.1", ""},
		"two apps without events":       {plain + peerA + one, "", "", "say which app: cluster.hcl has a, b"},
		"two apps with events":          {callText + strings.Replace(one, "[\"b.internal\"]", "[\"b.internal\"]\n  deliver {}", 1), "", "", "say which app"},
		"an app that there is not":      {callText, "c", "", `no app "c": cluster.hcl has a`},
		"a function that may not be":    {worldText, "", "", "rpc { allow = [\"Remote.Metrics.get_count/1\"] }"},
		"no app at all":                 {plain, "", "", "cluster.hcl has none"},
		"another function for counting": {worldText + "rpc {\n allow = [\"my_mod.add/1\"]\n count = \"my_mod.add/1\"\n}", "", "", "undef"},
	} {
		got, err := ask(t, c.text, api.CountsQuery{Key: "visits:/", App: c.app, Limit: 1})
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		want := api.Counts{Counts: []api.Count{{Key: "visits:/", Count: 1234}}, Node: c.node}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
	if got, err := ask(t, callText, api.CountsQuery{Key: "tuple"}); err != nil || got.Counts[0].Count != 7 {
		t.Errorf("{ok, 7}: %+v, %v", got, err)
	}
	_, err := ask(t, callText, api.CountsQuery{Key: "text"})
	if p, code := problemIn(t, err); code != "502 RemoteError" || p.Remote.Class != "answer" || !strings.Contains(p.Detail, `answered <<"seven">>`) {
		t.Errorf("text: %v", err)
	}
	if _, err := ask(t, callText, api.CountsQuery{}); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("without a key: %v", err)
	}
}
