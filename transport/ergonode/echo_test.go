package ergonode_test

import (
	"context"
	"fmt"
	"testing"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest/beam"
)

// random makes terms, has a node echo them, so many in one call, and compares.
const random = `
-module(random).
-export([same/3]).

same(Node, Seed, Calls) ->
    rand:seed(exsss, {Seed, 7, 11}),
    lists:sum([echoed(Node, [term(rand:uniform(4)) || _ <- lists:seq(1, 50)]) || _ <- lists:seq(1, Calls)]).

echoed(Node, Terms) ->
    Back = erpc:call(Node, m, echo, [Terms]),
    [error({differs, T, B}) || {T, B} <- lists:zip(Terms, Back), T =/= B],
    length(Terms).

term(0) -> leaf(rand:uniform(13));
term(D) ->
    case rand:uniform(8) of
        1 -> list_to_tuple(terms(D));
        2 -> terms(D);
        3 -> maps:from_list([{term(D - 1), term(D - 1)} || _ <- lists:seq(1, rand:uniform(4))]);
        4 -> [term(D - 1) | leaf(1)];
        5 -> X = term(D - 1), fun(Y) -> {X, Y} end;
        6 -> maps:from_list([{{I, leaf(rand:uniform(13))}, term(0)} || I <- lists:seq(1, rand:uniform(60))]);
        _ -> term(0)
    end.

terms(D) -> [term(D - 1) || _ <- lists:seq(1, rand:uniform(5) - 1)].

leaf(1) -> rand:uniform(1 bsl 33) - (1 bsl 32);
leaf(2) -> rand:uniform(1 bsl 65) - (1 bsl 64);
leaf(3) -> (rand:uniform(1 bsl 62) bsl (8 * rand:uniform(300))) * (2 * rand:uniform(2) - 3);
leaf(4) -> (rand:uniform() - 0.5) * math:pow(10, rand:uniform(600) - 300);
leaf(5) -> lists:nth(rand:uniform(4), [true, nil, 'Elixir.Phoenix.PubSub', list_to_atom([16#1f600 + rand:uniform(40)])]);
leaf(6) -> rand:bytes(rand:uniform(80));
leaf(7) -> Bits = rand:uniform(40), <<(rand:uniform(1 bsl Bits) - 1):Bits>>;
leaf(8) -> [rand:uniform(256) - 1 || _ <- lists:seq(1, rand:uniform(20))];
leaf(9) -> self();
leaf(10) -> lists:nth(rand:uniform(2), [make_ref(), alias()]);
leaf(11) -> hd(erlang:ports());
leaf(12) -> fun lists:map/2;
leaf(13) -> lists:nth(rand:uniform(3), [[], {}, #{}]).
`

func TestTermsThatGoThroughALinkComeBackIdentical(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e,
		Paths: []string{beam.CompileErlang(t, "random", random)}})
	n := start(t, e, func(o *ergonode.Options) {
		o.Functions = map[transport.Function]transport.Handler{
			{Module: "m", Name: "echo", Arity: 1}: func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
				return args[0], nil
			}}
	})
	dial(t, n, p.Name())
	for seed := range 20 { // 100,000 terms
		if got := p.Eval(fmt.Sprintf("random:same('ehc@127.0.0.1', %d, 100)", seed)); got != "5000" {
			t.Errorf("with seed %d: %s", seed, got)
		}
	}
}
