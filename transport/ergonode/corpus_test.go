package ergonode

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"

	"ehc/transport/dist"
	"ehc/transport/epmd"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
	"ehc/transport/transporttest/port"
)

// What a node sends for each kind of call is answered, and -update makes seeds of it.
func TestWhatANodeSendsForEachKindOfCall(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e})
	release := "otp" + p.Eval("list_to_integer(erlang:system_info(otp_release))")
	n := answering(t, port.Free(t)) // whose listener p does not know
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g, err := epmd.Register(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(e)),
		epmd.Registration{Name: "ehc", Port: l.Addr().(*net.TCPAddr).AddrPort().Port()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	const us = "'ehc@127.0.0.1'"
	pid := "Pid = fun(I) -> binary_to_term(<<131,88,119,13,\"ehc@127.0.0.1\",I:32,0:32,16#11223344:32>>) end, L = Pid(5), P = Pid(77), "
	for name, c := range map[string]struct{ expr, want string }{
		"ping":   {"net_adm:ping(" + us + ")", "pong"},
		"erpc":   {"erpc:call(" + us + ", m, f, [{1, <<\"x\">>, #{k => 1.5}}])", "[{1,<<\"x\">>,#{k => 1.5}}]"},
		"undef":  {"try erpc:call(" + us + ", os, cmd, [\"id\"]) catch error:{exception, W, _} -> W end", "undef"},
		"cast":   {"erpc:cast(" + us + ", m, f, [1]), erpc:multicall([" + us + "], m, f, [1])", "[{ok,[1]}]"},
		"rex":    {"rpc:block_call(" + us + ", m, f, [1])", "[1]"},
		"server": {"gen_server:cast({s, " + us + "}, 1), gen_server:call({s, " + us + "}, {2, self()}) =:= [{2, self()}]", "true"},
		"nobody": {"catch gen_server:call({nobody, " + us + "}, 1), gen_event:call({s, " + us + "}, h, q), sys:get_state({s, " + us + "})", ""},
		"links": {pid + "process_flag(trap_exit, true), link(L), unlink(L), monitor(process, L), link(P), receive {'EXIT', P, A} -> A end, unlink(P), " +
			"M = monitor(process, P), receive {'DOWN', M, _, _, B} -> B end, exit(P, kill), group_leader(P, spawn(fun() -> ok end)), B", "noproc"},
		"child": {"process_flag(trap_exit, true), R = spawn_request(" + us + ", erpc, execute_call, [1, m, f, [1]], [monitor]), receive {spawn_reply, R, ok, C} -> C end, " +
			"link(C), M = monitor(process, C), receive {'DOWN', M, _, _, _} -> ok end, receive {'DOWN', R, _, _, X} -> X end, exit(C, kill), X", "{1,return,[1]}"},
		"pubsub": {"S = 'Elixir.Phoenix.PubSub', G = 'Elixir.A.PubSub.Adapter', pg:start(S), pg:join(S, G, self()), net_adm:ping(" + us + "), " +
			"Find = fun F() -> case pg:get_members(S, G) -- [self()] of [W] -> W; _ -> receive after 10 -> F() end end end, " +
			"Find() ! {forward_to_local, <<\"t\">>, hello, S}, pg:leave(S, G, self()), gen_server:stop(S)", "ok"},
		"spawn": {"R = spawn_request(" + us + ", m, f, [1], [link, monitor]), receive {spawn_reply, R, error, V} -> V end", "notsup"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, headed := range []bool{true, false} {
				heard := make(chan []byte, 1)
				go func() { heard <- n.overhear(l, headed) }()
				got, err := p.TryEval("Answer = (fun() -> " + c.expr + " end)(), erlang:disconnect_node(" + us + "), Answer")
				if err != nil {
					_, _ = p.TryEval("erlang:disconnect_node(" + us + ")")
				}
				if c.want != "" && got != c.want {
					t.Errorf("%s is %s, %v", c.expr, got, err)
				}
				said := <-heard
				p.Await("nodes(connected)", "[]")
				if headed {
					corpus.Keep(t, "FuzzLink", release+"-"+name, creationOf(t, p), true, said)
				} else {
					corpus.Keep(t, "FuzzSignals", release+"-"+name, creationOf(t, p), withoutLengths(said))
				}
			}
		})
	}
}

// overhear takes a node in that dials, with or without headers, and returns what it
// said until it left.
func (n *Node) overhear(l net.Listener, headed bool) []byte {
	nc, err := l.Accept()
	if err != nil {
		return nil
	}
	self := n.self
	if !headed {
		self.Flags &^= dist.FlagDistHdrAtomCache
	}
	with, _, err := dist.Accept(nc, dist.AcceptOptions{Local: self, Cookies: n.cookiesFor})
	if err != nil {
		_ = nc.Close()
		return nil
	}
	with.Flags &= self.Flags
	n.minted.Store(0) // as the targets have it
	n.pids.Store(0)
	in := overheard{nc, corpus.Listen(nc)}
	up, err := n.establish(n.ctx, in, with, true)
	if err != nil {
		return nil
	}
	<-up.down
	return in.ear.Heard()
}

// overheard is a connection of which is kept what is read.
type overheard struct {
	net.Conn
	ear *corpus.Ear
}

func (o overheard) Read(b []byte) (int, error) { return o.ear.Read(b) }

// withoutLengths is one frame after the other.
func withoutLengths(said []byte) (frames []byte) {
	r := dist.NewFrameReader(bytes.NewReader(said), 1<<12, len(said))
	for {
		frame, err := r.Next()
		if err != nil {
			return frames
		}
		frames = append(frames, frame...)
	}
}

func creationOf(t *testing.T, p *beam.Node) uint32 {
	t.Helper()
	var creation uint32
	for _, c := range strings.TrimSpace(p.Eval("erlang:system_info(creation)")) {
		creation = creation*10 + uint32(c-'0')
	}
	return creation
}
