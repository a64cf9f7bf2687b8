package ergonode

import (
	"net/netip"
	"testing"
	"time"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// native is a server as anyone might write it for ergo: it calls, monitors and
// answers by ergo's own means.
type native struct {
	gen.Server
	heard chan any
}

// longest is how many seconds ergo's calls may take.
const longest = 300

type callPeer struct{ request eetf.Term }

func (s *native) HandleDirect(p *gen.ServerProcess, _ eetf.Ref, m any) (any, gen.DirectStatus) {
	switch m := m.(type) {
	case callPeer:
		v, err := p.CallWithTimeout(gen.ProcessID{Name: "echo", Node: "a@127.0.0.1"}, m.request, longest)
		return v, gen.DirectStatus(err)
	case string:
		return p.MonitorProcess(gen.ProcessID{Name: m, Node: "a@127.0.0.1"}), nil
	case eetf.Pid:
		return p.MonitorProcess(m), nil
	}
	return nil, gen.DirectStatusIgnore
}

func (s *native) HandleCall(_ *gen.ServerProcess, _ gen.ServerFrom, m eetf.Term) (eetf.Term, gen.ServerStatus) {
	return eetf.Tuple{eetf.Atom("native"), m, eetf.List{1, eetf.String("bin"), eetf.Map{eetf.Atom("k"): 1.5}}}, gen.ServerStatusOK
}

func (s *native) HandleCast(_ *gen.ServerProcess, m eetf.Term) gen.ServerStatus {
	s.heard <- m
	return gen.ServerStatusOK
}

func (s *native) HandleInfo(_ *gen.ServerProcess, m eetf.Term) gen.ServerStatus {
	s.heard <- m
	return gen.ServerStatusOK
}

// next waits for what the server hears.
func (s *native) next(t *testing.T) any {
	t.Helper()
	select {
	case m := <-s.heard:
		return m
	case <-time.After(5 * time.Minute):
		t.Fatal("the server heard nothing")
		return nil
	}
}

func TestErgoProcessesAndErlangReachEachOther(t *testing.T) {
	epmd := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: epmd})
	n, err := Start(t.Context(), Options{Name: "ehc@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie("monster")},
		Listen: netip.MustParseAddr("127.0.0.1"), EPMDPort: uint16(epmd), Servers: map[string]transport.Handler{"spare": nil}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	s := &native{heard: make(chan any, 10)}
	process, err := n.seat.node.Spawn("native", gen.ProcessOptions{}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := process.DirectWithTimeout(callPeer{1}, longest); err == nil {
		t.Error("ergo found a way to a node that is not connected")
	}
	c, err := n.Dial(t.Context(), transport.Target{Node: p.Name()})
	if err != nil {
		t.Fatal(err)
	}
	p.Eval(`register(echo, spawn(fun Loop() -> receive {'$gen_call', {F, T}, stop} -> F ! {T, ok}, exit(stopped);
		{'$gen_call', {F, T}, V} -> F ! {T, {V, node(F)}}, Loop() end end))`)

	v, err := process.DirectWithTimeout(callPeer{eetf.Tuple{eetf.Atom("hi"), eetf.String("there")}}, longest)
	if err != nil || etf.Text(v) != "{{hi,<<\"there\">>},'ehc@127.0.0.1'}" {
		t.Errorf("ergo's call of Erlang: %v, %v", v, err)
	}
	if got := p.Eval(`gen_server:call({native, 'ehc@127.0.0.1'}, hi, infinity)`); got != `{native,hi,[1,<<"bin">>,#{k => 1.5}]}` {
		t.Errorf("Erlang's call of ergo: %s", got)
	}
	p.Eval(`gen_server:cast({native, 'ehc@127.0.0.1'}, {cast, 1}), {native, 'ehc@127.0.0.1'} ! [info]`)
	if diff := cmp.Diff([]any{etf.Tuple{etf.Atom("cast"), 1}, etf.List{etf.Atom("info")}}, []any{s.next(t), s.next(t)}); diff != "" {
		t.Error(diff)
	}
	if n.seat.node.Nodes()[0] != p.Name() || len(n.seat.node.Nodes()) != 1 {
		t.Errorf("ergo's nodes are %v", n.seat.node.Nodes())
	}

	// Monitors in both directions, of names and pids, ended by exits and by the link.
	for _, name := range []string{"nosuch", "echo"} {
		if _, err := process.DirectWithTimeout(name, longest); err != nil {
			t.Fatal(err)
		}
	}
	if down, ok := s.next(t).(gen.MessageDown); !ok || down.Reason != "noproc" {
		t.Errorf("the monitor of nobody: %+v", down)
	}
	if _, err := process.DirectWithTimeout(callPeer{eetf.Atom("stop")}, longest); err != nil {
		t.Error(err)
	}
	if down, ok := s.next(t).(gen.MessageDown); !ok || down.Reason != "stopped" {
		t.Errorf("the monitor of a name: %+v", down)
	}
	init, err := c.Call(t.Context(), "erlang", "whereis", etf.Atom("init"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := process.DirectWithTimeout(toErgoPid(init.(etf.Pid)), longest); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if down, ok := s.next(t).(gen.MessageDown); !ok || down.Reason != "noconnection" {
		t.Errorf("the monitor when the link goes: %+v", down)
	}
	if nodes := n.seat.node.Nodes(); len(nodes) != 0 {
		t.Errorf("ergo still knows %v", nodes)
	}
}

func TestWhoWatchesAServerHearsOfItsEnd(t *testing.T) {
	epmd := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: epmd})
	n, err := Start(t.Context(), Options{Name: "ehc@127.0.0.1", Cookies: []transport.Cookie{transport.NewCookie("monster")},
		Listen: netip.MustParseAddr("127.0.0.1"), EPMDPort: uint16(epmd), Servers: map[string]transport.Handler{"s": nil}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	p.Eval(`Self = self(), register(w, spawn(fun() -> R = erlang:monitor(process, {s, 'ehc@127.0.0.1'}), pong = net_adm:ping('ehc@127.0.0.1'), Self ! up,
		receive {'DOWN', R, _, _, Why} -> receive {ask, P} -> P ! Why end end end)), receive up -> ok end`)
	n.seat.node.ProcessByName("s").Kill()
	if got := p.Eval(`w ! {ask, self()}, receive Why -> Why end`); got != "kill" {
		t.Errorf("the watcher heard %s", got)
	}
	if got := p.Eval(`catch gen_server:call({s, 'ehc@127.0.0.1'}, hi, infinity), element(1, element(2, catch gen_server:call({s, 'ehc@127.0.0.1'}, hi, infinity)))`); got != "noproc" {
		t.Errorf("a call of it ends with %s", got)
	}
}
