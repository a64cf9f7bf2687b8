package ergonode

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
	"ehc/transport/transporttest/port"
)

// ourCreation makes what was captured from nodes mean our processes again.
const ourCreation = 0x11223344

// answering is a node with something of everything that a peer can ask for.
func answering(t testing.TB, epmdPort uint16) *Node {
	t.Helper()
	answer := func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		return etf.List(args), nil
	}
	n, err := Start(t.Context(), Options{Name: "ehc@127.0.0.1", Creation: ourCreation, EPMDPort: epmdPort,
		Cookies: []transport.Cookie{transport.NewCookie("monster")}, Listen: netip.MustParseAddr("127.0.0.1"),
		Functions: map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: answer},
		Servers:   map[string]transport.Handler{"s": answer}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// FuzzLink has a peer that is in say anything. Whatever that is, the link ends for
// it or for the end of the connection, and the node answers the next peer.
func FuzzLink(f *testing.F) {
	n := answering(f, port.Free(f))
	f.Add(uint32(7), []byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, creation uint32, says []byte) {
		met := func(name string, says []byte) *link {
			near, far := net.Pipe()
			l, err := n.establish(n.ctx, near, dist.Node{Name: name, Creation: creation, Flags: dist.Offer(false, true)}, true)
			if err != nil {
				t.Fatal(err)
			}
			_ = far.SetDeadline(time.Now().Add(time.Minute))
			var reading sync.WaitGroup
			reading.Go(func() { _, _ = io.Copy(io.Discard, far) })
			_, _ = far.Write(says)
			_ = far.Close()
			reading.Wait()
			return l
		}
		for _, name := range []string{"a@127.0.0.1", "b@127.0.0.1"} {
			l := met(name, says)
			<-l.down
			l.mu.Lock() // handlers may still run
			defer l.mu.Unlock()
			if l.why == nil || len(l.calls)+len(l.watches)+len(l.bonds)+len(l.inbound)+len(l.waiting)+len(l.spawned) > 0 {
				t.Errorf("the link ended with %v and holds something", l.why)
			}
		}
	})
}

// What a node sends for each kind of call is answered, and -update makes seeds of it.
func TestWhatANodeSendsForEachKindOfCall(t *testing.T) {
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: e})
	release := "otp" + p.Eval("list_to_integer(erlang:system_info(otp_release))")
	n := answering(t, port.Free(t)) // which p does not know: it finds the ear
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
	pid := "P = binary_to_term(<<131,88,119,13,\"ehc@127.0.0.1\",77:32,0:32,16#11223344:32>>), "
	for name, c := range map[string]struct{ expr, want string }{
		"ping":   {"net_adm:ping(" + us + ")", "pong"},
		"erpc":   {"erpc:call(" + us + ", m, f, [{1, <<\"x\">>, #{k => 1.5}}])", "[{1,<<\"x\">>,#{k => 1.5}}]"},
		"undef":  {"try erpc:call(" + us + ", os, cmd, [\"id\"]) catch error:{exception, W, _} -> W end", "undef"},
		"cast":   {"erpc:cast(" + us + ", m, f, [1]), erpc:multicall([" + us + "], m, f, [1])", "[{ok,[1]}]"},
		"rex":    {"rpc:block_call(" + us + ", m, f, [1])", "[1]"},
		"server": {"gen_server:cast({s, " + us + "}, 1), gen_server:call({s, " + us + "}, {2, self()}) =:= [{2, self()}]", "true"},
		"nobody": {"catch gen_server:call({nobody, " + us + "}, 1), gen_event:call({s, " + us + "}, h, q), sys:get_state({s, " + us + "})", ""},
		"links": {pid + "process_flag(trap_exit, true), link(P), receive {'EXIT', P, A} -> A end, unlink(P), " +
			"M = monitor(process, P), receive {'DOWN', M, _, _, B} -> B end, exit(P, kill), group_leader(P, spawn(fun() -> ok end)), B", "noproc"},
		"spawn": {"R = spawn_request(" + us + ", m, f, [1], [link, monitor]), receive {spawn_reply, R, error, V} -> V end", "notsup"},
	} {
		t.Run(name, func(t *testing.T) {
			heard := make(chan []byte, 1)
			go func() { heard <- pass(l, n) }()
			got, err := p.TryEval("Answer = (fun() -> " + c.expr + " end)(), erlang:disconnect_node(" + us + "), Answer")
			if err != nil {
				_, _ = p.TryEval("erlang:disconnect_node(" + us + ")")
			}
			if c.want != "" && got != c.want {
				t.Errorf("%s is %s, %v", c.expr, got, err)
			}
			said := afterHandshake(<-heard)
			p.Await("nodes(connected)", "[]")
			corpus.Keep(t, "FuzzLink", release+"-"+name, creationOf(t, p), said)
		})
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

// pass carries one connection to a node of ours, and returns what the caller said.
func pass(l net.Listener, n *Node) []byte {
	in, err := l.Accept()
	if err != nil {
		return nil
	}
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", n.Addr().String())
	if err != nil {
		return nil
	}
	ear := corpus.Listen(in)
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	_, _ = io.Copy(out, ear)
	_ = out.Close()
	back.Wait()
	return ear.Heard()
}

// afterHandshake cuts the name and the digest off.
func afterHandshake(said []byte) []byte {
	for range 2 {
		if len(said) < 2 || len(said) < 2+int(said[0])<<8+int(said[1]) {
			return nil
		}
		said = said[2+int(said[0])<<8+int(said[1]):]
	}
	return said
}
