package ergonode_test

import (
	"testing"

	"ehc/transport/transporttest/beam"
)

func TestCallsFromErlang(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := serving(t, e)
	dial(t, n, p.Name())
	for _, c := range []struct{ name, expr, want string }{
		{"gen_server:call", "gen_server:call({ehc, 'ehc@127.0.0.1'}, hi, infinity)", "{ok,hi}"},
		{"multi_call", "gen_server:multi_call(['ehc@127.0.0.1'], ehc, hi, infinity)", "{[{'ehc@127.0.0.1',{ok,hi}}],[]}"},
		{"multi_call of nobody", "gen_server:multi_call(['ehc@127.0.0.1'], nosuch, hi, infinity)", "{[],['ehc@127.0.0.1']}"},
		{"the old form with a plain reference", "R = make_ref(), {ehc, 'ehc@127.0.0.1'} ! {'$gen_call', {self(), R}, hi}, receive {R, V} -> V end", "{ok,hi}"},
		{"a tag of any shape", "{ehc, 'ehc@127.0.0.1'} ! {'$gen_call', {self(), [x, {y, \"z\"}]}, hi}, receive {[x, {y, \"z\"}], V} -> V end", "{ok,hi}"},
		{"an unknown name exits at once", "catch gen_server:call({nosuch, 'ehc@127.0.0.1'}, hi, infinity)", "{'EXIT',{noproc,{gen_server,call,[{nosuch,'ehc@127.0.0.1'},hi,infinity]}}}"},
		{"a handler's error is the exit reason", "{'EXIT', {Why, _}} = (catch gen_server:call({ehc, 'ehc@127.0.0.1'}, {fail, <<\"no\">>}, infinity)), Why", "{error,<<\"no\">>}"},
		{"a time-out is the caller's own", "{'EXIT', {Why, _}} = (catch gen_server:call({waits, 'ehc@127.0.0.1'}, hi, 100)), Why", "timeout"},
		{"and the next call works", "gen_server:call({ehc, 'ehc@127.0.0.1'}, hi, infinity)", "{ok,hi}"},
		{"a cast and a stray message do no harm", "gen_server:cast({ehc, 'ehc@127.0.0.1'}, x), {ehc, 'ehc@127.0.0.1'} ! stray, gen_server:call({ehc, 'ehc@127.0.0.1'}, hi, infinity)", "{ok,hi}"},
		{"many at once", "length([ok || {ok, _} <- [gen_server:call({ehc, 'ehc@127.0.0.1'}, I, infinity) || I <- lists:seq(1, 500)]])", "500"},

		{"erpc:call", "erpc:call('ehc@127.0.0.1', 'Elixir.Ehc', echo, [hi])", "{ok,hi}"},
		{"rpc:call", "rpc:call('ehc@127.0.0.1', 'Elixir.Ehc', echo, [hi])", "{ok,hi}"},
		{"erpc:multicall", "erpc:multicall(['ehc@127.0.0.1'], 'Elixir.Ehc', echo, [hi])", "[{ok,{ok,hi}}]"},
		{"erpc:cast", "erpc:cast('ehc@127.0.0.1', 'Elixir.Ehc', echo, [hi])", "ok"},
		{"a handler's error", "try erpc:call('ehc@127.0.0.1', 'Elixir.Ehc', echo, [{fail, <<\"no\">>}]) catch C:{exception, R, _} -> {C, R} end", "{error,{error,<<\"no\">>}}"},
		{"a throw", "try erpc:call('ehc@127.0.0.1', 'Elixir.Ehc', throws, []) catch C:R -> {C, R} end", "{throw,ball}"},
		{"an unknown function", "try erpc:call('ehc@127.0.0.1', os, cmd, [\"id\"]) catch error:{exception, R, [Frame | _]} -> {R, Frame} end", "{undef,{os,cmd,[\"id\"],[]}}"},
		{"a known function of another arity", "rpc:call('ehc@127.0.0.1', 'Elixir.Ehc', echo, [])", "{badrpc,{'EXIT',{undef,[{'Elixir.Ehc',echo,[],[]}]}}}"},
		{"a spawn of anything else", "erpc:call('ehc@127.0.0.1', fun() -> 1 end) =:= 1 orelse no", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.TryEval(c.expr)
			if c.want == "" {
				if err == nil {
					t.Errorf("%s is %s", c.expr, got)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%s is %s (%v), want %s", c.expr, got, err, c.want)
			}
		})
	}
	if got := p.Eval("R = spawn_request('ehc@127.0.0.1', os, cmd, [\"id\"], [monitor]), receive {spawn_reply, R, error, Why} -> Why end"); got != "notsup" {
		t.Errorf("a spawn of something else: %s", got)
	}
}

func TestWithoutFunctionsNothingIsServed(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	dial(t, start(t, e, nil), p.Name())
	if got := p.Eval("rpc:call('ehc@127.0.0.1', erlang, node, [])"); got != "{badrpc,notsup}" {
		t.Errorf("rpc:call: %s", got)
	}
}

func TestCallsFromElixir(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "x@127.0.0.1", Cookie: "monster", EPMDPort: e, Elixir: true})
	n := serving(t, e)
	for _, c := range []struct{ expr, want string }{
		{`Node.connect(:"ehc@127.0.0.1")`, "true"},
		{`Node.list()`, "[]"},
		{`GenServer.call({:ehc, :"ehc@127.0.0.1"}, %{"page" => %{{1, 2} => "x"}}, :infinity)`, `{:ok, %{"page" => %{{1, 2} => "x"}}}`},
		{`:erpc.call(:"ehc@127.0.0.1", Ehc, :echo, ["hi"])`, `{:ok, "hi"}`},
		{`catch_exit = try do GenServer.call({:nosuch, :"ehc@127.0.0.1"}, :hi, :infinity) catch :exit, {why, _} -> why end; catch_exit`, ":noproc"},
	} {
		if got := p.Eval(c.expr); got != c.want {
			t.Errorf("%s is %s, want %s", c.expr, got, c.want)
		}
	}
	v, err := dial(t, n, p.Name()).Call(within(t), "Elixir.String", "upcase", "straße")
	if err != nil || v != "STRASSE" {
		t.Error(v, err)
	}
}
