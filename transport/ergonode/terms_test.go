package ergonode_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

func atom(s string) etf.Atom { return etf.Atom(s) }

func list(t transport.Term) etf.List {
	l, _ := t.(etf.List)
	return l
}

// echo answers {ok, Request}, and {error, Text} to what it is told to fail at.
func echo(_ context.Context, from string, args []transport.Term) (transport.Term, error) {
	if t, ok := args[0].(etf.Tuple); ok && len(t) == 2 && t[0] == etf.Term(atom("fail")) {
		return nil, errors.New(t[1].(string))
	}
	return etf.Tuple{atom("ok"), args[0]}, nil
}

// serving is a node with one server and two functions, and the handler that waits.
func serving(t testing.TB, e int) *ergonode.Node {
	return start(t, e, func(o *ergonode.Options) {
		o.Servers = map[string]transport.Handler{"ehc": echo, "waits": func(ctx context.Context, _ string, _ []transport.Term) (transport.Term, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		o.Functions = map[transport.Function]transport.Handler{
			{Module: "Elixir.Ehc", Name: "echo", Arity: 1}: echo,
			{Module: "Elixir.Ehc", Name: "throws", Arity: 0}: func(context.Context, string, []transport.Term) (transport.Term, error) {
				return nil, &transport.RaisedError{Class: "throw", Reason: atom("ball")}
			},
		}
	})
}

func TestTermsAreTheSameOnBothSides(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := serving(t, e)
	c := dial(t, n, p.Name())
	const build = `
		Deep = #{<<"meta">> => #{{user, 1} => [#{<<"k">> => V} || V <- lists:seq(1, 50)]}, {1.5, "s"} => self(), make_ref() => fun lists:map/2},
		Big = maps:from_list([{integer_to_binary(I), #{{I, <<"x">>} => lists:duplicate(20, I), <<"bin">> => binary:copy(<<I:32>>, 50)}} || I <- lists:seq(1, 3000)]),
		Term = #{<<"topic">> => <<"metrics:views">>, <<"deep">> => Deep, <<"big">> => Big, fun_ => fun() -> Deep end, huge => 1 bsl 3000, neg => -(1 bsl 70), bits => <<5:3>>, nested => {[], {}, #{}, [a|b]}},`
	if got := p.Eval(build + `{ok, Back} = gen_server:call({ehc, 'ehc@127.0.0.1'}, Term, infinity), {Back =:= Term, erlang:external_size(Term) > 500000}`); got != "{true,true}" {
		t.Errorf("to us and back: %s", got)
	}
	// And from us, there and back: the peer keeps one copy and compares.
	p.Eval(`register(keep, spawn(fun() -> (fun Loop(K) -> receive
		{'$gen_call', {F, T}, {keep, V}} -> F ! {T, V}, Loop(V);
		{'$gen_call', {F, T}, {same, V}} -> F ! {T, V =:= K}, Loop(K) end end)(none) end))`)
	kept, err := c.CallServer(within(t), "keep", etf.Tuple{atom("keep"), broadcast(3000)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []transport.Term{kept, broadcast(3000)} {
		if same, err := c.CallServer(within(t), "keep", etf.Tuple{atom("same"), v}); err != nil || same != etf.Term(atom("true")) {
			t.Errorf("from us and back: %v, %v", same, err)
		}
	}
}

// broadcast is a map of n entries with keys of several kinds.
func broadcast(n int) etf.Map {
	var m etf.Map
	for i := range n {
		m = append(m,
			etf.Pair{Key: "key" + strings.Repeat("x", i), Value: etf.List{i, "v", 1.5}},
			etf.Pair{Key: etf.Tuple{atom("k"), i}, Value: etf.Map{{Key: "n", Value: etf.Tuple{i}}}})
		if len(m) > 400 {
			break
		}
	}
	return m
}

func TestALongFramePasses(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := start(t, e, func(o *ergonode.Options) { o.Limits.Frame = 24 << 20 })
	c := dial(t, n, p.Name())
	long := strings.Repeat("x", 20<<20)
	v, err := c.Call(within(t), "lists", "reverse", etf.List{long})
	if err != nil || list(v)[0] != long {
		t.Fatalf("twenty megabytes: %v", err)
	}
	if _, err := c.Call(within(t), "erlang", "byte_size", long+long); err == nil || errors.Is(err, transport.ErrDown) {
		t.Errorf("a frame over the limit: %v", err)
	}
	if _, err := c.Call(within(t), "binary", "copy", "x", 30<<20); !errors.Is(err, transport.ErrDown) || !errors.Is(err, transport.ErrProtocol) {
		t.Errorf("an answer over the limit: %v", err)
	}
}

func TestCallsToErlang(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	c := dial(t, start(t, e, nil), p.Name())

	t.Run("what is raised has class, reason and stack", func(t *testing.T) {
		_, err := c.Call(within(t), "erlang", "binary_to_atom", 1)
		var raised *transport.RaisedError
		if !errors.As(err, &raised) || raised.Class != "error" || raised.Text != "badarg" || len(list(raised.Stack)) == 0 {
			t.Errorf("%#v", err)
		}
	})
	t.Run("a function that prints does not block, and prints on the peer", func(t *testing.T) {
		until(t, "its user process is known", func() bool {
			leader, err := c.Call(within(t), "erlang", "group_leader")
			if err != nil {
				t.Fatal(err)
			}
			pid, ok := leader.(etf.Pid)
			return ok && string(pid.Node) == p.Name()
		})
		v, err := c.Call(within(t), "io", "format", charlist("printed ~p~n"), etf.List{atom("here")})
		if err != nil || v != etf.Term(atom("ok")) {
			t.Fatal(v, err)
		}
		p.Eval("ok") // its answer comes after what was printed
		if !strings.Contains(p.Output(), "printed here") {
			t.Errorf("the output is %q", p.Output())
		}
	})
	t.Run("a deadline kills the process", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		before := p.Eval("length([P || P <- processes(), erlang:process_info(P, current_function) =:= {current_function, {timer, sleep, 1}}])")
		if _, err := c.Call(ctx, "timer", "sleep", atom("infinity")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for {
			now := p.Eval("length([P || P <- processes(), erlang:process_info(P, current_function) =:= {current_function, {timer, sleep, 1}}])")
			if now == before {
				break
			}
		}
	})
	t.Run("a module that Erlang could not name", func(t *testing.T) {
		if _, err := c.Call(within(t), strings.Repeat("x", 300), "f"); err == nil || errors.Is(err, transport.ErrDown) {
			t.Error(err)
		}
	})
}

func charlist(s string) etf.List {
	var l etf.List
	for _, c := range s {
		l = append(l, int(c))
	}
	return l
}
