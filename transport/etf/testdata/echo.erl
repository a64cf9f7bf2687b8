%% The other side of erlang_test.go: packets of four bytes of length on file
%% descriptors 0 and 1. It keeps one term, the last made or read.
%%
%%   <<$v, Bytes/binary>>         are these bytes the term kept? "ok" or why not
%%   <<$M, Seed:32, N:32>>        make N terms of that seed and those after it;
%%                                answers <<Size:32, Bytes>> of each
%%   <<$V, Each/binary>>          are these, <<Size:32, Bytes>> each, the terms kept?
%%   <<$e, Bytes/binary>>         keep the term of these bytes; answers its own
%%   <<$t, Text/binary>>          is this text the term kept? "ok" or why not
-module(echo).
-export([main/0]).

main() ->
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    loop(Port, none).

loop(Port, Kept) ->
    receive
        {Port, {data, <<$v, Bytes/binary>>}} ->
            port_command(Port, verdict(catch binary_to_term(Bytes), Kept)),
            loop(Port, Kept);
        {Port, {data, <<$M, Seed:32, N:32>>}} ->
            Made = [begin rand:seed(exsss, {S, 7, 11}), Term = term(depth(S)), {Term, encode(Term)} end || S <- lists:seq(Seed, Seed + N - 1)],
            port_command(Port, [<<(byte_size(B)):32, B/binary>> || {_, B} <- Made]),
            loop(Port, [Term || {Term, _} <- Made]);
        {Port, {data, <<$V, Each/binary>>}} ->
            Got = [catch binary_to_term(B) || <<Size:32, B:Size/binary>> <= Each],
            port_command(Port, case Got =:= Kept of
                true -> <<"ok">>;
                false when length(Got) =/= length(Kept) -> <<"not as many terms as were kept">>;
                false -> hd([verdict(G, K) || {G, K} <- lists:zip(Got, Kept), G =/= K])
            end),
            loop(Port, Kept);
        {Port, {data, <<$e, Bytes/binary>>}} ->
            case catch binary_to_term(Bytes) of
                {'EXIT', Why} -> port_command(Port, io_lib:format("~p", [Why])), loop(Port, Kept);
                Term -> port_command(Port, term_to_binary(Term)), loop(Port, Term)
            end;
        {Port, {data, <<$t, Text/binary>>}} ->
            port_command(Port, verdict(catch parse(Text), Kept)),
            loop(Port, Kept);
        {Port, eof} ->
            halt(0)
    end.

verdict(Term, Term) -> <<"ok">>;
verdict(Got, Kept) -> unicode:characters_to_binary(io_lib:format("got ~tp, not ~tp", [Got, Kept])).

parse(Text) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text) ++ "."),
    {ok, Exprs} = erl_parse:parse_exprs(Tokens),
    {value, Term, _} = erl_eval:exprs(Exprs, []),
    Term.

%% The forms of older releases where they hold the term, today's otherwise.
encode(Term) ->
    Bytes = term_to_binary(Term, [{minor_version, rand:uniform(3) - 1}]),
    case binary_to_term(Bytes) of
        Term -> Bytes;
        _ -> term_to_binary(Term)
    end.

%% Most are small, so that there can be many.
depth(Seed) when Seed rem 8 =:= 0 -> 4;
depth(_) -> 1.

term(0) -> leaf(rand:uniform(22));
term(Depth) ->
    case rand:uniform(10) of
        1 -> list_to_tuple(terms(Depth));
        2 -> terms(Depth);
        3 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, rand:uniform(4) - 1)]);
        4 -> [term(Depth - 1) | terms(Depth)] ++ leaf(rand:uniform(22));
        5 -> X = term(Depth - 1), fun(Y) -> {X, Y} end;
        6 -> maps:from_list([{key(I), term(0)} || I <- lists:seq(1, rand:uniform(60))]);
        7 -> erlang:make_tuple(rand:uniform(300), leaf(1));
        _ -> term(0)
    end.

terms(Depth) -> [term(Depth - 1) || _ <- lists:seq(1, rand:uniform(5) - 1)].

key(I) when I rem 3 =:= 0 -> {I, leaf(rand:uniform(22))};
key(I) when I rem 3 =:= 1 -> integer_to_binary(I);
key(I) -> I.

leaf(1) -> rand:uniform(256) - 1;
leaf(2) -> rand:uniform(1 bsl 33) - (1 bsl 32);
leaf(3) -> rand:uniform(1 bsl 65) - (1 bsl 64);
leaf(4) -> lists:nth(rand:uniform(6), [1 bsl 63, -(1 bsl 63), (1 bsl 63) - 1, -(1 bsl 63) - 1, 1 bsl 31, -(1 bsl 31) - 1]);
leaf(5) -> (rand:uniform(1 bsl 62) bsl (8 * rand:uniform(300))) * (2 * rand:uniform(2) - 3);
leaf(6) -> (rand:uniform() - 0.5) * math:pow(10, rand:uniform(600) - 300);
leaf(7) -> lists:nth(rand:uniform(4), [0.0, -0.0, 1.0e308, 5.0e-324]);
leaf(8) -> lists:nth(rand:uniform(5), [true, false, nil, undefined, 'Elixir.Phoenix.PubSub']);
leaf(9) -> list_to_atom([letter(rand:uniform(4)) || _ <- lists:seq(1, rand:uniform(256) - 1)]);
leaf(10) -> <<>>;
leaf(11) -> rand:bytes(rand:uniform(80));
leaf(12) -> Bits = rand:uniform(40), N = rand:uniform(1 bsl Bits) - 1, <<N:Bits>>;
leaf(13) -> [];
leaf(14) -> [rand:uniform(256) - 1 || _ <- lists:seq(1, rand:uniform(20))];
leaf(15) ->
    case rand:uniform(50) of
        1 -> lists:duplicate(65534 + rand:uniform(3), 7);
        N -> lists:seq(256 - N, 256)
    end;
leaf(16) -> lists:nth(rand:uniform(3), [self(), spawn(fun() -> ok end), pid()]);
leaf(17) -> lists:nth(rand:uniform(3), [make_ref(), alias(), monitor(process, self())]);
%% Not 1 or 2 words: as keys of a large map OTP 25 itself does not find such
%% references again after binary_to_term. The terms made in Go have them.
leaf(18) -> ref(2 + rand:uniform(3));
leaf(19) -> lists:nth(rand:uniform(2), [hd(erlang:ports()), port(rand:uniform(1 bsl 60))]);
leaf(20) -> port(rand:uniform(1 bsl 29));
leaf(21) -> lists:nth(rand:uniform(2), [fun lists:map/2, fun m:'an odd name'/255]);
leaf(22) -> lists:nth(rand:uniform(2), [fun main/0, fun leaf/1]).

letter(1) -> $a + rand:uniform(26) - 1;
letter(2) -> rand:uniform(128) - 1;
letter(3) -> 16#c0 + rand:uniform(40);
letter(4) -> 16#1f600 + rand:uniform(40).

%% Identifiers of other nodes.
pid() -> binary_to_term(<<131, 88, 119, 3, "a@b", (word()):32, (word()):32, (word()):32>>).
ref(N) -> binary_to_term(<<131, 90, N:16, 119, 3, "a@b", (word()):32, (<< <<(word()):32>> || _ <- lists:seq(1, N) >>)/binary>>).
port(Id) -> binary_to_term(<<131, 120, 119, 3, "a@b", Id:64, (word()):32>>).

word() -> rand:uniform(1 bsl 32) - 1.
