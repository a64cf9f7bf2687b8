%% What Suite calls on a peer. Memory answers the same in Go.
-module(ehc_suite).
-export([echo/1, raise/2, die/1, sleep/1, alive/1, serve/1, forward/1, received/1]).

echo(Term) -> Term.

raise(Class, Reason) -> erlang:raise(Class, Reason, []).

die(_) -> exit(self(), kill), receive after infinity -> ok end.

%% Sleeps for ever under a registered name.
sleep(Name) -> register(Name, self()), receive after infinity -> ok end.

alive(Name) -> whereis(Name) =/= undefined.

%% A gen_server in the raw, registered under Name.
serve(Name) ->
    Self = self(),
    spawn(fun() -> register(Name, self()), Self ! up, loop([]) end),
    receive up -> ok end.

loop(Late) ->
    receive
        {'$gen_call', {Pid, Tag}, {echo, Term}} -> Pid ! {Tag, Term}, loop(Late);
        {'$gen_call', From, hang} -> loop([From | Late]);
        {'$gen_call', {Pid, Tag}, late} ->
            [P ! {T, too_late} || {P, T} <- Late], Pid ! {Tag, ok}, loop([]);
        {'$gen_call', _, {stop, Reason}} -> exit(Reason)
    end.

%% Keeps what is sent to Name until received/1 asks for it.
forward(Name) ->
    Self = self(),
    spawn(fun() -> register(Name, self()), Self ! up, keep([]) end),
    receive up -> ok end.

keep(Messages) ->
    receive
        {received, From} -> From ! {messages, lists:reverse(Messages)}, keep(Messages);
        Message -> keep([Message | Messages])
    end.

received(Name) ->
    Name ! {received, self()},
    receive {messages, Messages} -> Messages end.
