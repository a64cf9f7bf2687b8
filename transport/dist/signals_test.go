package dist_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/dist"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
)

// link is a connection to a real node, used by one goroutine.
type link struct {
	t    *testing.T
	c    net.Conn
	r    *bufio.Reader
	d    *etf.Decoder
	peer dist.Node
	self etf.Pid
	refs uint32

	headers *dist.HeaderWriter // nil if packets have none
	parse   func(packet []byte) (dist.Control, error)
	heard   [][]byte // every frame
}

// onEach runs a test on connections of both forms: packets that are passed through,
// and packets with headers.
func onEach(t *testing.T, test func(t *testing.T, n *beam.Node, l *link)) {
	n := start(t)
	t.Run("passed through", func(t *testing.T) {
		l := connect(t, n, us("go").Flags&^dist.FlagDistHdrAtomCache)
		l.parse = func(packet []byte) (dist.Control, error) { return dist.Parse(packet, l.d) }
		test(t, n, l)
		_ = l.c.Close()
	})
	t.Run("with headers", func(t *testing.T) {
		n.Await(`nodes(hidden)`, "[]")
		l := connect(t, n, us("go").Flags)
		l.headers, l.parse = dist.NewHeaderWriter(1<<24), dist.NewHeaderReader(l.d).Parse
		test(t, n, l)
	})
}

func connect(t *testing.T, n *beam.Node, offer dist.Flags) *link {
	t.Helper()
	c, local := open(t, n), us("go")
	local.Flags = offer
	peer, err := dist.Dial(c, dist.DialOptions{Local: local, Want: n.Name(), Cookie: cookie})
	if err != nil {
		t.Fatal(err)
	}
	return &link{t: t, c: c, r: bufio.NewReader(c), d: etf.NewDecoder(etf.DefaultLimits()), peer: peer,
		self: etf.Pid{Node: etf.Atom(local.Name), ID: 1, Creation: local.Creation}}
}

func (l *link) ref() etf.Ref {
	l.refs++
	return etf.Ref{Node: l.self.Node, Creation: l.self.Creation, Len: 3, ID: [5]uint32{l.refs}}
}

// next is the next signal.
func (l *link) next() dist.Control {
	l.t.Helper()
	for {
		frame, err := dist.ReadFrame(l.r, 1<<20)
		if err != nil {
			l.t.Fatalf("the connection is gone: %v", err)
		}
		if len(frame) == 0 {
			continue
		}
		l.heard = append(l.heard, bytes.Clone(frame))
		c, err := l.parse(frame)
		if err != nil {
			l.t.Fatal(err)
		}
		return c
	}
}

// send sends a frame, with a payload if there is one.
func (l *link) send(frame []byte, err error, payload ...etf.Term) {
	l.t.Helper()
	for _, p := range payload {
		if err == nil {
			frame, err = etf.Append(frame, p)
		}
	}
	if err == nil {
		err = l.write(dist.Seal(frame))
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *link) write(frame []byte) error {
	if l.headers != nil {
		head, rest := l.headers.Convert(frame)
		frame = append(bytes.Clone(head), rest...)
	}
	_, err := l.c.Write(frame)
	return err
}

func (l *link) term(payload []byte) etf.Term {
	l.t.Helper()
	v, rest, err := l.d.Term(payload)
	if err != nil || len(rest) > 0 {
		l.t.Fatalf("payload %x: %v", payload, err)
	}
	return v
}

// call runs a function as erpc does. Signals that come meanwhile are dropped.
func (l *link) call(module, function etf.Atom, args ...etf.Term) etf.Term {
	l.t.Helper()
	id := l.ref()
	frame, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: id, From: l.self, Leader: l.self,
		Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
	l.send(frame, err, etf.List{id, module, function, etf.List(args)})
	for {
		c := l.next()
		switch {
		case c.Ref != id:
		case c.Op == dist.OpSpawnReply && c.Named:
			l.t.Fatalf("%s:%s was not started: %s", module, function, c.Name)
		case c.Op == dist.OpDown:
			v, ok := l.term(c.Payload).(etf.Tuple)
			if !ok || len(v) != 3 || v[0] != etf.Term(id) || v[1] != etf.Term(etf.Atom("return")) {
				l.t.Fatalf("%s:%s came to %v", module, function, v)
			}
			return v[2]
		}
	}
}

// The node takes all that is built, and the connection lives on.
func TestARealNodeTakesEverySignal(t *testing.T) { onEach(t, takesEverySignal) }

func takesEverySignal(t *testing.T, n *beam.Node, l *link) {
	call := func() { l.call("erlang", "node") }
	call()
	user, ok := l.call("erlang", "whereis", etf.Atom("user")).(etf.Pid)
	if !ok {
		t.Fatal("no user")
	}
	gone := etf.Pid{Node: user.Node, ID: 0x7fff, Creation: user.Creation}
	theirRef := l.call("erlang", "make_ref").(etf.Ref)
	stale := user
	stale.Creation++

	n.Eval(`P = spawn(fun F() -> receive {From, What} -> From ! {got, What}, F() end end), catch unregister(echo), register(echo, P)`)
	echo := l.call("erlang", "whereis", etf.Atom("echo")).(etf.Pid)
	hello := etf.Tuple{l.self, "hello"}
	got := etf.Tuple{etf.Atom("got"), "hello"}
	frame, err := dist.AppendRegSend(nil, l.self, "echo")
	l.send(frame, err, hello)
	l.send(dist.AppendSend(nil, l.self, echo), nil, hello)
	for range 2 {
		c := l.next()
		if diff := cmp.Diff(etf.Term(got), l.term(c.Payload)); c.Op != dist.OpSend || c.From != echo || c.To != l.self || diff != "" {
			t.Errorf("%s from %v to %v, %s", c.Op, c.From, c.To, diff)
		}
	}

	frame, err = dist.AppendRegSend(nil, l.self, "nobody")
	l.send(frame, err, hello)
	l.send(dist.AppendSend(nil, l.self, gone), nil, hello)
	l.send(dist.AppendSend(nil, l.self, stale), nil, hello)
	l.send(dist.AppendAliasSend(nil, l.self, theirRef), nil, hello)
	l.send(dist.AppendDown(nil, l.self, user, theirRef), nil, etf.Atom("noproc"))
	frame, err = dist.AppendDownName(nil, "nobody", user, theirRef)
	l.send(frame, err, etf.Atom("noproc"))
	frame, err = dist.AppendExit(nil, l.self, user, l.peer)
	l.send(frame, err, etf.Atom("oops"))
	l.send(dist.AppendExit2(nil, l.self, stale), nil, etf.Atom("oops"))
	l.send(dist.AppendSpawnReply(nil, theirRef, user, l.self, true), nil)
	frame, err = dist.AppendSpawnFailure(nil, theirRef, user, "notsup")
	l.send(frame, err)
	frame, err = dist.AppendExit(nil, l.self, stale, l.peer)
	if err == nil {
		t.Errorf("built an exit to a former incarnation: %x", frame)
	}
	frame, err = dist.AppendUnlinkAck(nil, 7, l.self, user, l.peer)
	l.send(frame, err)
	l.send(dist.Tick(), nil)
	call()

	l.monitors(echo, gone)
	l.links(echo, gone)
	call()
}

func (l *link) monitors(echo, gone etf.Pid) {
	l.t.Helper()
	byPid, byName := l.ref(), l.ref()
	l.send(dist.AppendMonitor(nil, l.self, gone, byPid), nil)
	l.wantDown(dist.Control{From: gone, Ref: byPid}, "noproc")
	frame, err := dist.AppendMonitorName(nil, l.self, "nobody", byName)
	l.send(frame, err)
	l.wantDown(dist.Control{Named: true, Name: "nobody", Ref: byName}, "noproc")

	byPid, byName = l.ref(), l.ref()
	l.send(dist.AppendMonitor(nil, l.self, echo, byPid), nil)
	frame, err = dist.AppendMonitorName(nil, l.self, "echo", byName)
	l.send(frame, err)
	l.send(dist.AppendDemonitor(nil, l.self, echo, byPid), nil)
	frame, err = dist.AppendDemonitorName(nil, l.self, "echo", byName)
	l.send(frame, err)
	l.call("erlang", "node")
	byName = l.ref()
	frame, err = dist.AppendMonitorName(nil, l.self, "echo", byName)
	l.send(frame, err)
	l.send(dist.AppendExit2(nil, l.self, echo), nil, etf.Atom("kill"))
	l.wantDown(dist.Control{Named: true, Name: "echo", Ref: byName}, "killed") // and none of the two before
}

func (l *link) wantDown(want dist.Control, reason etf.Atom) {
	l.t.Helper()
	got := l.next()
	if l.term(got.Payload) != etf.Term(reason) {
		l.t.Errorf("reason %q", got.Payload)
	}
	want.Op, want.To, got.Payload = dist.OpDown, l.self, nil
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Error(diff)
	}
}

func (l *link) links(user, gone etf.Pid) {
	l.t.Helper()
	l.send(dist.AppendLink(nil, l.self, gone), nil)
	if c := l.next(); c.Op != dist.OpExit || c.From != gone || c.To != l.self || l.term(c.Payload) != etf.Term(etf.Atom("noproc")) {
		l.t.Errorf("link with nobody: %+v", c)
	}
	for _, id := range []uint64{1, 1 << 31, 1<<64 - 1} {
		frame, err := dist.AppendUnlink(nil, id, l.self, user, l.peer)
		l.send(frame, err)
		if c := l.next(); c.Op != dist.OpUnlinkIDAck || c.ID != id || c.From != user || c.To != l.self {
			l.t.Errorf("unlink %d: %+v", id, c)
		}
	}
}

// binary writes a term so that a node can read it in an expression.
func binary(t *testing.T, v etf.Term) string {
	t.Helper()
	b, err := etf.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	digits := make([]string, len(b))
	for i, v := range b {
		digits[i] = strconv.Itoa(int(v))
	}
	return "binary_to_term(<<" + strings.Join(digits, ",") + ">>)"
}

// What a node's processes do to ours comes in as it was meant.
func TestARealNodeSendsEverySignal(t *testing.T) { onEach(t, sendsEverySignal) }

func sendsEverySignal(t *testing.T, n *beam.Node, l *link) {
	named := "{name, 'go@127.0.0.1'}"
	vars := "P = " + binary(t, l.self) + ", R = " + binary(t, l.ref()) + ", "
	tests := []struct {
		name, does string
		want       []dist.Op
	}{
		{"sends", `P ! hi, ` + named + ` ! hi, R ! hi`, []dist.Op{dist.OpSend, dist.OpRegSend, dist.OpAliasSend}},
		{"sends, traced", `seq_trace:set_token(label, 7), P ! hi, ` + named + ` ! hi, R ! hi, seq_trace:set_token([])`,
			[]dist.Op{dist.OpSend, dist.OpRegSend, dist.OpAliasSend}},
		{"monitors", `M = monitor(process, P), demonitor(M), N = monitor(process, ` + named + `), demonitor(N)`,
			[]dist.Op{dist.OpMonitor, dist.OpDemonitor, dist.OpMonitor, dist.OpDemonitor}},
		{"links", `link(P), unlink(P)`, []dist.Op{dist.OpLink, dist.OpUnlinkID}},
		{"links and ends", `spawn(fun() -> link(P), exit(oops) end)`, []dist.Op{dist.OpLink, dist.OpExit}},
		{"sends an exit signal", `exit(P, oops)`, []dist.Op{dist.OpExit2}},
		{"sends a traced exit signal", `seq_trace:set_token(label, 7), exit(P, oops), seq_trace:set_token([])`, []dist.Op{dist.OpExit2}},
		{"sets a group leader", `group_leader(self(), P)`, []dist.Op{dist.OpGroupLeader}},
		{"asks for a process", `spawn_request('go@127.0.0.1', m, f, [1, 2], [monitor])`, []dist.Op{dist.OpSpawnRequest}},
		{"asks for a process with more options", `spawn_request('go@127.0.0.1', m, f, [], [link, {priority, high}, {monitor, []}])`, []dist.Op{dist.OpSpawnRequest}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l.t = t
			said := make(chan error, 1)
			// What the process still holds when it ends would come on top.
			go func() { _, err := n.TryEval(vars + tt.does + ", P ! done, ok"); said <- err }()
			var got []dist.Op
			for done := false; !done || len(got) < len(tt.want); { // another process may be later
				c := l.next()
				if c.Op == dist.OpSend && l.term(c.Payload) == etf.Term(etf.Atom("done")) {
					done = true
					continue
				}
				got = append(got, c.Op)
				l.check(c)
			}
			if err := <-said; err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	l.t = t
	l.call("erlang", "node")
	l.keep("otp" + n.Eval("list_to_integer(erlang:system_info(otp_release))"))
}

// keep makes seeds of what the node has sent: all frames in a row, and without
// headers one frame of each operation and length.
func (l *link) keep(release string) {
	var all []byte
	seen := map[string]bool{}
	for _, frame := range l.heard {
		all = append(appendLength(all, len(frame)), frame...)
		c, err := dist.Parse(frame, l.d)
		if name := fmt.Sprintf("%s-op%d-%d", release, c.Op, len(frame)); err == nil && !seen[name] {
			seen[name] = true
			corpus.Keep(l.t, "FuzzParse", name, frame)
		}
	}
	if l.headers != nil {
		corpus.Keep(l.t, "FuzzHeaders", release, all)
		return
	}
	for _, size := range []byte{16, 255} {
		corpus.Keep(l.t, "FuzzFrames", fmt.Sprintf("%s-%d", release, size), all, size)
	}
}

func appendLength(b []byte, n int) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// check looks at what else a signal has to say, and acknowledges an unlink.
func (l *link) check(c dist.Control) {
	l.t.Helper()
	if c.From.Node != "x@127.0.0.1" || c.From.Creation != l.peer.Creation {
		l.t.Errorf("%s from %v", c.Op, c.From)
	}
	switch c.Op {
	case dist.OpSend, dist.OpRegSend, dist.OpAliasSend:
		if l.term(c.Payload) != etf.Term(etf.Atom("hi")) {
			l.t.Errorf("%s of %q", c.Op, c.Payload)
		}
	case dist.OpExit, dist.OpExit2:
		if l.term(c.Payload) != etf.Term(etf.Atom("oops")) {
			l.t.Errorf("%s with %q", c.Op, c.Payload)
		}
	case dist.OpUnlinkID:
		frame, err := dist.AppendUnlinkAck(nil, c.ID, c.To, c.From, l.peer)
		l.send(frame, err)
	case dist.OpSpawnRequest:
		if s := c.Spawn; s.Module != "m" || s.Function != "f" || !s.Monitor || s.Other != s.Link || s.Leader.Node != c.From.Node {
			l.t.Errorf("asks for %+v", *s)
		}
		if args, ok := l.term(c.Payload).(etf.List); !ok || len(args) != c.Spawn.Arity {
			l.t.Errorf("arguments %v, arity %d", args, c.Spawn.Arity)
		}
		frame, err := dist.AppendSpawnFailure(nil, c.Ref, c.From, "notsup")
		l.send(frame, err)
	}
}
