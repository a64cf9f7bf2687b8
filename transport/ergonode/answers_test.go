package ergonode_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// asking is Erlang that gives the reason for which an expression exits or raises.
func asking(expr string) string {
	return "process_flag(trap_exit, true), try " + expr + " catch _:{exception, X, _} -> X; _:{{X, _}, {gen_statem, _, _}} -> X; " +
		"_:{erpc, X} -> {erpc, X}; _:{X, _} -> X; _:X -> X end"
}

const flush = ", receive {'EXIT', _, Why} -> Why end"

func TestEveryKindOfCallIsAnswered(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	dial(t, serving(t, e), p.Name())
	const node = "'ehc@127.0.0.1'"
	for _, c := range []struct{ expr, want string }{
		{"rpc:block_call(NODE, 'Elixir.Ehc', echo, [hi])", "{ok,hi}"},
		{"rpc:block_call(NODE, os, cmd, [\"id\"])", "{badrpc,{'EXIT',{undef,[{os,cmd,[\"id\"],[]}]}}}"},
		{"rpc:block_call(NODE, 'Elixir.Ehc', throws, [])", "ball"},
		{"rpc:block_call(NODE, 'Elixir.Ehc', echo, [{fail, <<\"no\">>}])", "{badrpc,{'EXIT',{{error,<<\"no\">>},[]}}}"},
		{"rpc:multicall([NODE], 'Elixir.Ehc', echo, [hi])", "{[{ok,hi}],[]}"},
		{"rpc:cast(NODE, 'Elixir.Ehc', nosuch, [hi])", "true"},
		{"rpc:yield(rpc:async_call(NODE, 'Elixir.Ehc', echo, [hi]))", "{ok,hi}"},
		{"rpc:sbcast([NODE], ehc, hi)", "{[],[NODE]}"},
		{"rpc:abcast([NODE], ehc, hi)", "abcast"},
		{"gen_server:call({rex, NODE}, {call, 'Elixir.Ehc', echo, [hi], user}, infinity)", "{ok,hi}"},
		{"gen_server:call({rex, NODE}, {call, 'Elixir.Ehc', echo, hi, user}, infinity)", "{badrpc,notsup}"},
		{"gen_server:call({rex, NODE}, whatever, infinity)", "{badrpc,notsup}"},
		{"begin {rex, NODE} ! {self(), {call, 'Elixir.Ehc', echo, [hi], user}}, receive M1 -> M1 end end", "{rex,{ok,hi}}"},
		{"begin {rex, NODE} ! {self(), nonsense}, receive M2 -> M2 end end", "{rex,{badrpc,notsup}}"},
		{"begin {rex, NODE} ! {self(), features_request}, receive M3 -> M3 end end", "{features_reply,NODE,[erpc]}"},
		{"begin {rex, NODE} ! rubbish, gen_server:cast({rex, NODE}, {cast, 'Elixir.Ehc', echo, [hi], user}), ok end", "ok"},
		{"erpc:multicast([NODE], 'Elixir.Ehc', nosuch, [hi])", "ok"},
		{"gen_statem:call({ehc, NODE}, hi)", "{ok,hi}"},
		{"gen_statem:call({ehc, NODE}, hi, {clean_timeout, 300000})", "{ok,hi}"},
		{"gen_server:wait_response(gen_server:send_request({ehc, NODE}, hi), infinity)", "{reply,{ok,hi}}"},
		{"gen_event:call({ehc, NODE}, handler, query, infinity)", "{error,notsup}"},
		{"gen_event:sync_notify({nosuch, NODE}, event)", "noproc"},
		{"sys:get_state({ehc, NODE}, infinity)", "notsup"},
		{"sys:get_state({nosuch, NODE}, infinity)", "noproc"},
		{"begin spawn(NODE, os, cmd, [\"id\"]), refused end", "refused"},
		{"begin spawn_link(NODE, os, cmd, [\"id\"])" + flush + " end", "notsup"},
		{"begin spawn_link(NODE, fun() -> ok end)" + flush + " end", "notsup"},
		{"spawn_monitor(NODE, os, cmd, [\"id\"])", "notsup"},
		{"gen_server:call({net_kernel, NODE}, {spawn, os, cmd, [\"id\"], self()}, infinity)", "{error,notsup}"},
		{"net_adm:ping(NODE)", "pong"},
	} {
		expr, want := strings.ReplaceAll(c.expr, "NODE", node), strings.ReplaceAll(c.want, "NODE", node)
		if got := p.Eval(asking(expr)); got != want {
			t.Errorf("%s is %s, want %s", c.expr, got, want)
		}
	}
	// It waits for the process to end after it was told no; it crashes instead.
	if got, err := p.TryEval("gen_server:stop({ehc, 'ehc@127.0.0.1'})"); err == nil {
		t.Errorf("our server was stopped: %s", got)
	}
	if got := p.Eval("gen_server:call({ehc, 'ehc@127.0.0.1'}, hi, infinity)"); got != "{ok,hi}" {
		t.Errorf("a call after all that: %s", got)
	}
}

func TestCallsThatNothingServesEndAtOnce(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	dial(t, start(t, e, nil), p.Name())
	for expr, want := range map[string]string{
		"erpc:call(NODE, erlang, node, [], infinity)":                                                 "{erpc,notsup}",
		"rpc:call(NODE, erlang, node, [], infinity)":                                                  "{badrpc,notsup}",
		"rpc:multicall([NODE], erlang, node, [])":                                                     "{[{badrpc,notsup}],[]}",
		"erpc:cast(NODE, erlang, node, [])":                                                           "ok",
		"rpc:cast(NODE, erlang, node, [])":                                                            "true",
		"rpc:block_call(NODE, erlang, node, [])":                                                      "{badrpc,notsup}",
		"gen_server:call({rex, NODE}, {call, erlang, node, [], user}, infinity)":                      "{badrpc,notsup}",
		"begin {rex, NODE} ! {self(), features_request}, receive M -> M end end":                      "{features_reply,NODE,[]}",
		"begin spawn(NODE, erlang, node, []), refused end":                                            "refused",
		"spawn_monitor(NODE, erlang, node, [])":                                                       "notsup",
		"begin spawn_link(NODE, erlang, node, [])" + flush + " end":                                   "notsup",
		"gen_statem:call({ehc, NODE}, hi)":                                                            "noproc",
		"begin R = spawn_request(NODE, os, cmd, []), receive {spawn_reply, R, error, W} -> W end end": "notsup",
	} {
		expr, want = strings.ReplaceAll(expr, "NODE", "'ehc@127.0.0.1'"), strings.ReplaceAll(want, "NODE", "'ehc@127.0.0.1'")
		if got := p.Eval(asking(expr)); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}

func TestCastsFromErlangRunInOrder(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	var log strings.Builder
	got := make(chan transport.Term, 1000)
	n := start(t, e, func(o *ergonode.Options) {
		o.Log = hclog.New(&hclog.LoggerOptions{Output: &log})
		o.Servers = map[string]transport.Handler{"ehc": func(_ context.Context, from string, args []transport.Term) (transport.Term, error) {
			if from != "a@127.0.0.1" {
				return nil, fmt.Errorf("from %s", from)
			}
			got <- args[0]
			return nil, errors.New("went wrong")
		}}
	})
	dial(t, n, p.Name())
	p.Eval("[gen_server:cast({ehc, 'ehc@127.0.0.1'}, I) || I <- lists:seq(1, 999)], gen_statem:cast({ehc, 'ehc@127.0.0.1'}, last)")
	for i := range 999 {
		if v := <-got; v != i+1 {
			t.Fatalf("cast %d is %v", i+1, v)
		}
	}
	if v := <-got; v != etf.Term(etf.Atom("last")) {
		t.Errorf("the last cast is %v", v)
	}
	n.Stop()
	if !strings.Contains(log.String(), "went wrong") {
		t.Errorf("the log is %q", log.String())
	}
}

func TestMoreCastsThanMayWaitAreDropped(t *testing.T) {
	var log strings.Builder
	began, gate := make(chan struct{}, 8), make(chan struct{})
	var ran []etf.Term
	n := alone(t, func(o *ergonode.Options) {
		o.Limits.Casts = 2
		o.Log = hclog.New(&hclog.LoggerOptions{Output: &log})
		o.Servers = map[string]transport.Handler{"s": func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			began <- struct{}{}
			<-gate
			ran = append(ran, args[0])
			return atom("ok"), nil
		}, "done": echo}
	})
	f, err := knock(t, n, "a@127.0.0.1", cookie)
	if err != nil {
		t.Fatal(err)
	}
	cast := func(v etf.Term) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "s")
		f.send(b, err, etf.Tuple{atom("$gen_cast"), v})
	}
	// An answered call shows that the reader has seen what went before it.
	seen := func(id uint32) {
		b, err := dist.AppendRegSend(nil, f.pid(1), "done")
		f.send(b, err, etf.Tuple{atom("$gen_call"), etf.Tuple{f.pid(1), int(id)}, 1})
		f.next(dist.OpSend)
	}
	cast(1)
	<-began
	for i := range 5 { // two wait, three are dropped
		cast(i + 2)
	}
	seen(1)
	close(gate)
	<-began
	<-began
	n.Stop()
	if diff := cmp.Diff([]etf.Term{1, 2, 3}, ran); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), "casts dropped") || !strings.Contains(log.String(), "count=3") {
		t.Errorf("the log is %q", log.String())
	}
}
