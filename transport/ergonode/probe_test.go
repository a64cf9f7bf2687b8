package ergonode_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest/beam"
)

// watchNodes is Erlang that has a process keep what comes and goes, hidden nodes
// too, until it is asked for by seen.
const watchNodes = `
spawn(fun() ->
  register(watcher, self()), ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
  F = fun F(Seen) -> receive {ask, P} -> P ! Seen, F(Seen); {Up, N, _} -> F(Seen ++ [{Up, N}]) end end, F([])
end), fun W() -> case whereis(watcher) of undefined -> timer:sleep(1), W(); _ -> ok end end()`

const seenNodes = `watcher ! {ask, self()}, receive S -> [{W, hd(string:split(atom_to_list(N), "-"))} || {W, N} <- S] end`

func TestAProbeLeavesNoConnection(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	p.Eval(watchNodes)
	o := ergonode.Options{Name: ourName, Cookies: []transport.Cookie{transport.NewCookie("wrong"), cookie}, EPMDPort: uint16(e)}
	prober, err := ergonode.NewProber(o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := prober.Probe(within(t), transport.Target{Node: "a@127.0.0.1"})
	if err != nil || got.Node != "a@127.0.0.1" || got.Hidden || got.Creation == 0 || got.Port == 0 || got.Cookie != 1 || !strings.Contains(got.Flags, "SPAWN") {
		t.Errorf("%+v, %v", got, err)
	}
	p.Await("nodes(connected)", "[]")
	p.Await(seenNodes, `[{nodeup,"ehc"},{nodedown,"ehc"}]`) // who watches hears of it after that
	if names := p.Eval("{ok, L} = erl_epmd:names({127,0,0,1}), [N || {N, _} <- L]"); names != `["a"]` {
		t.Errorf("EPMD lists %s", names)
	}
}

func TestAProbeBesideALinkTouchesNothing(t *testing.T) {
	e := beam.EPMD(t)
	peer(t, "a@127.0.0.1", e)
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) { o.Observer = w })
	c := dial(t, n, "a@127.0.0.1")
	before := w.heard()
	if _, err := n.Probe(within(t), transport.Target{Node: "a@127.0.0.1"}); err != nil {
		t.Error(err)
	}
	if _, err := c.Call(within(t), "erlang", "node"); err != nil {
		t.Errorf("the link does not answer any more: %v", err)
	}
	if after := w.heard(); len(after) != len(before) {
		t.Errorf("the Observer heard %v", after[len(before):])
	}
}

func TestWhyAProbeFails(t *testing.T) {
	e := beam.EPMD(t)
	peer(t, "a@127.0.0.1", e)
	other := beam.EPMD(t)
	for name, c := range map[string]struct {
		cookie string
		epmd   int
		target transport.Target
		want   error
	}{
		"another cookie":     {"wrong", e, transport.Target{Node: "a@127.0.0.1"}, transport.ErrCookie},
		"a name not listed":  {"monster", e, transport.Target{Node: "b@127.0.0.1"}, transport.ErrNotListed},
		"another EPMD":       {"monster", other, transport.Target{Node: "a@127.0.0.1"}, transport.ErrNotListed},
		"no EPMD":            {"monster", e, transport.Target{Node: "a@127.0.0.1", Addr: netip.MustParseAddr("127.0.0.9")}, transport.ErrUnreachable},
		"no name at all":     {"monster", e, transport.Target{Node: "a"}, transport.ErrName},
		"another node there": {"monster", e, transport.Target{Node: "a@127.0.0.1", Addr: netip.MustParseAddr("127.0.0.1"), Port: uint16(e)}, transport.ErrUnreachable},
	} {
		prober, err := ergonode.NewProber(ergonode.Options{Name: ourName, Cookies: []transport.Cookie{transport.NewCookie(c.cookie)}, EPMDPort: uint16(c.epmd)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prober.Probe(within(t), c.target); !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "probe "+c.target.Node) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// until waits for what another goroutine or a node does without a word to us.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
