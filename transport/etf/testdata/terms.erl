%% Terms for corpus_test.go: every kind, as a node holds them.
-module(terms).
-export([all/0]).

-if(?OTP_RELEASE >= 29).
-record #point{x, y}.
-record #line{from, to}.
-export_record([line]).
-define(RECORDS, [{record, #line{from = #point{x = 1, y = 2.5}, to = [#point{x = <<"a">>, y = []}]}}]).
-else.
-define(RECORDS, []).
-endif.

%% Names and bytes, as nodes send them to each other; the last are forms that they read
%% and do not send any more, and one that they do not even read.
all() ->
    Alias = alias(),
    Ref = make_ref(),
    Terms = [
        {ints, [0, 255, 256, -1, 1 bsl 31, -(1 bsl 31), 1 bsl 63, -(1 bsl 64)]},
        {big, [1 bsl 2040, -(1 bsl 2031)]},
        {floats, [0.0, -0.0, 1.5, 1.0e308, 5.0e-324]},
        {atoms, [ok, '', 'Elixir.Foo', 'größe', '日本']},
        {long_atom, list_to_atom(lists:duplicate(255, 16#1f600))},
        {strings, ["abc", [0, 255], [256], <<"größe"/utf8>>, "日本"]},
        {bits, [<<>>, <<5:3>>, <<"ab", 1:1>>]},
        {improper, [[a | b], [1, 2 | <<>>], [alias | Alias]]},
        {tuples, {{}, {1}, list_to_tuple(lists:duplicate(256, []))}},
        {map, #{event_id => <<"01J9">>, 1 => #{}, {k, 1.5} => [#{a => b}]}},
        {large_map, maps:from_list([{{k, I}, I} || I <- lists:seq(1, 33)])},
        {pids, [self(), spawn(fun() -> ok end)]},
        {ports, [hd(erlang:ports()), open_port({spawn, "true"}, [])]},
        {refs, [Ref, Alias, monitor(process, self()), monitor(process, init, [{alias, explicit_unalias}])]},
        {fun_by_name, fun lists:map/2},
        {fun_local, fun all/0},
        {fun_closed, fun(X) -> {X, Ref, Alias} end},
        {call, {'$gen_call', {self(), [alias | Alias]}, {increment, <<"/blog">>, 1}}},
        {multicall, {'$gen_call', {self(), [[alias | Alias] | Ref]}, get}},
        {struct, #{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => 2026, month => 1, day => 31}},
        {raised, {Ref, error, badarg, [{erlang, hd, [[]], [{error_info, #{module => erl_erts_errors}}]}, {m, f, 2, [{file, "m.erl"}, {line, 300}]}]}}
    ],
    [{N, term_to_binary(T, [{minor_version, 2}])} || {N, T} <- Terms ++ ?RECORDS] ++
    [{floats_as_text, term_to_binary([1.5, -2.5e-300], [{minor_version, 0}])},
     {latin1, term_to_binary([ok, 'größe', self()], [{minor_version, 1}])},
     {compressed, term_to_binary(lists:duplicate(300, {ok, <<"text">>}), [compressed])}].
