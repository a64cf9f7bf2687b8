package ergonode_test

import (
	"context"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// What makes a peer close the link, section by section: it must never be sent.

// record is the native record #m:r{}.
const record = etf.Opaque("\x43\x00\x00\x00\x00\x00w\x01mw\x01r")

// poison are the terms for which every peer closes.
var poison = map[string]etf.Term{
	"nothing":                        nil,
	"a struct":                       struct{}{},
	"a compressed term":              etf.Raw{80, 0, 0, 0, 1, 0x78, 0x9c, 0x4b, 5, 0, 0, 0x62, 0, 0x62},
	"an unknown tag":                 etf.Raw{200},
	"a tag in a list":                etf.List{1, etf.Raw{200}},
	"a term cut short":               etf.Raw{109, 0, 0, 0, 9, 1},
	"two terms":                      etf.Raw{106, 106},
	"no term":                        etf.Raw{},
	"a fun cut short":                etf.Opaque("p\x00\x00\x00\x20"),
	"an atom cache reference":        etf.Raw{82, 0},
	"one key twice":                  etf.Map{{Key: "k", Value: 1}, {Key: "k", Value: 2}},
	"a key in two types of Go":       etf.Map{{Key: 1, Value: 1}, {Key: int64(1), Value: 2}},
	"one of many keys twice":         manyKeys(100),
	"a key twice, inside":            etf.Tuple{etf.Map{{Key: etf.Map{{Key: 1, Value: 1}, {Key: 1, Value: 1}}, Value: 1}}},
	"a key in two forms":             etf.Map{{Key: etf.Ref{Node: "a@b", Len: 1, ID: [5]uint32{7}}, Value: 1}, {Key: etf.Ref{Node: "a@b", Len: 2, ID: [5]uint32{7}}, Value: 2}},
	"an integer that is too long":    new(big.Int).Lsh(big.NewInt(1), 8<<20),
	"a fun of OTP R7":                etf.Raw("u\x00\x00\x00\x00Xw\x01a" + strings.Repeat("\x00", 12) + "w\x01ma\x00a\x00"),
	"a float that is no number":      math.NaN(),
	"an infinite float":              math.Inf(-1),
	"a bit string of no bits":        etf.BitString{Bytes: "x"},
	"a bit string of no bits, raw":   etf.Raw{77, 0, 0, 0, 1, 0, 7},
	"an atom of 256 characters":      etf.Atom(strings.Repeat("x", 256)),
	"an atom that is not UTF-8":      etf.Atom("\xff"),
	"a reference of six words":       etf.Ref{Node: "a@b", Len: 6},
	"a reference of six words, raw":  etf.Raw("Z\x00\x06w\x03a@b" + strings.Repeat("\x00", 28)),
	"a term that is nested too deep": nested(600),
}

func manyKeys(n int) (m etf.Map) {
	for i := range n {
		m = append(m, etf.Pair{Key: i, Value: i})
	}
	return append(m, etf.Pair{Key: n / 2, Value: 0})
}

func nested(n int) (t etf.Term) {
	t = etf.List{}
	for range n {
		t = etf.Tuple{t}
	}
	return t
}

// poisoner is a node whose function and server return what they are told to.
func poisoner(t *testing.T, e int, terms map[string]etf.Term, w transport.Observer) *ergonode.Node {
	return start(t, e, func(o *ergonode.Options) {
		o.Observer = w
		give := func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			return terms[args[0].(string)], nil
		}
		o.Servers = map[string]transport.Handler{"bad": give}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "bad", Arity: 1}: give,
			{Module: "m", Name: "raise", Arity: 1}: func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
				return nil, &transport.RaisedError{Class: "throw", Reason: terms[args[0].(string)]}
			}}
	})
}

func TestNoTermIsSentForWhichAPeerCloses(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	w := newNews()
	terms := map[string]etf.Term{"a native record": record, "a native record in a list": etf.List{record}}
	for name, term := range poison {
		terms[name] = term
	}
	c := dial(t, poisoner(t, e, terms, w), p.Name())
	records := p.Eval("list_to_integer(erlang:system_info(otp_release)) >= 29") == "true"
	for name, term := range terms {
		fine := records && strings.Contains(name, "record")
		check := func(how string, err error) {
			t.Helper()
			var bad *etf.ValueError
			switch {
			case fine && err != nil, !fine && !errors.As(err, &bad), errors.Is(err, transport.ErrDown):
				t.Errorf("%s of %s: %v", how, name, err)
			case !fine && strings.Contains(name, "record") && !errors.Is(err, etf.ErrRecord):
				t.Errorf("%s of %s does not say that records are the matter: %v", how, name, err)
			}
		}
		_, err := c.Call(within(t), "erlang", "is_list", term)
		check("call", err)
		_, err = c.CallServer(within(t), "nobody", term)
		var gone *transport.SignalError
		if !fine || !errors.As(err, &gone) { // noproc
			check("server call", err)
		}
		check("send", c.Send(within(t), "nobody", term))
		for _, ask := range []string{
			`catch gen_server:call({bad, 'ehc@127.0.0.1'}, <<"` + name + `">>, infinity), ok`,
			`catch erpc:call('ehc@127.0.0.1', m, bad, [<<"` + name + `">>]), ok`,
			`catch erpc:call('ehc@127.0.0.1', m, raise, [<<"` + name + `">>]), ok`,
		} {
			if got := p.Eval(ask); got != "ok" {
				t.Errorf("%s is %s", ask, got)
			}
		}
		if v, err := c.Call(within(t), "erlang", "node"); err != nil {
			t.Fatalf("after %s: %v, %v", name, v, err)
		}
	}
	if heard := w.heard(); len(heard) != 1 {
		t.Errorf("the link did not last: %v", heard)
	}
}

func TestNoSignalIsSentForWhichAPeerCloses(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) {
		o.Observer = w
		o.Servers = map[string]transport.Handler{"ehc": echo}
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: echo}
	})
	c := dial(t, n, p.Name())
	for _, s := range []struct{ line, provoked, want string }{
		{"operation 4: an unlink", pidOf(n.Creation()) + "link(P), unlink(P)", "true"},
		{"operation 4: an unlink of an earlier incarnation of ours", pidOf(1) + "process_flag(trap_exit, true), link(P), unlink(P)", "true"},
		{"operation 37: an answer to an alias", "gen_server:call({ehc, 'ehc@127.0.0.1'}, 1, infinity)", "{ok,1}"},
		{"an unlink ack without the id of the unlink", pidOf(n.Creation()) + "process_flag(trap_exit, true), [begin link(P), unlink(P) end || _ <- lists:seq(1, 100)], ok", "ok"},
		{"a link exit to who has gone meanwhile", pidOf(n.Creation()) + "[spawn(fun() -> link(P) end) || _ <- lists:seq(1, 100)], ok", "ok"},
		{"the end of a process before its spawn reply", "length([ok || {ok, {ok, 1}} <- erpc:multicall(lists:duplicate(500, 'ehc@127.0.0.1'), m, f, [1])])", "500"},
		{"a spawn reply that is not asked for", "erpc:cast('ehc@127.0.0.1', m, f, [1])", "ok"},
		{"an operation of its own making for a group leader", pidOf(n.Creation()) + "Q = spawn(fun() -> receive stop -> ok end end), group_leader(P, Q), exit(Q, kill)", "true"},
		{"an operation of its own making for exit/2", pidOf(n.Creation()) + "exit(P, kill)", "true"},
		{"an answer to a traced message", "seq_trace:set_token(label, 7), R = gen_server:call({ehc, 'ehc@127.0.0.1'}, 2, infinity), seq_trace:set_token([]), R", "{ok,2}"},
	} {
		if got := p.Eval(s.provoked); got != s.want {
			t.Errorf("%s: %s is %s, want %s", s.line, s.provoked, got, s.want)
		}
		if _, err := c.Call(within(t), "erlang", "node"); err != nil {
			t.Fatalf("after %s: %v", s.line, err)
		}
	}
	if heard := w.heard(); len(heard) != 1 {
		t.Errorf("the link did not last: %v", heard)
	}
}

// A real node does not bring us to these; a faulty one could.
func TestWhatAFaultyPeerSendsIsNotAnsweredWithWhatClosesTheLink(t *testing.T) {
	n := alone(t, func(o *ergonode.Options) {
		o.Functions = map[transport.Function]transport.Handler{{Module: "m", Name: "f", Arity: 1}: echo}
	})
	f, _ := linked(t, n, "a@127.0.0.1")
	f.next(dist.OpSpawnRequest)
	ours := etf.Pid{Node: ourName, ID: 99, Creation: n.Creation()}
	stranger := etf.Pid{Node: "x@127.0.0.1", ID: 99, Creation: 5}
	stale := f.pid(1)
	stale.Creation--
	spawn := func(id etf.Ref) {
		b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{ID: id, From: f.pid(1), Leader: f.pid(1),
			Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true})
		f.send(b, err, etf.List{id, atom("m"), atom("f"), etf.List{1}})
	}
	own := etf.Ref{Node: etf.Atom(f.self.Name), Creation: f.self.Creation, Len: 3, ID: [5]uint32{1}}
	foreign, former := own, own
	foreign.Node, former.Creation = "x@127.0.0.1", own.Creation-1
	f.send(dist.AppendLink(nil, f.pid(1), stranger), nil) // an exit from a stranger
	f.send(dist.AppendLink(nil, stale, ours), nil)        // an exit to an earlier incarnation
	b, err := dist.AppendUnlink(nil, 1, f.pid(1), stranger, dist.Node{Creation: stranger.Creation})
	f.send(b, err) // an ack from a stranger
	b, err = dist.AppendUnlink(nil, 2, stale, ours, dist.Node{Creation: ours.Creation})
	f.send(b, err) // an ack to an earlier incarnation
	leader := etf.Pid{Node: ourName, ID: 6, Creation: n.Creation()}
	f.send(dist.AppendSend(nil, f.pid(1), leader), nil, // an answer to a stranger's output
		etf.Tuple{atom("io_request"), stranger, own, etf.Tuple{atom("put_chars"), atom("unicode"), "x"}})
	spawn(foreign) // a spawn reply for a reference that is not the peer's
	spawn(former)
	b, err = dist.AppendUnlink(nil, 7, f.pid(1), ours, dist.Node{Creation: ours.Creation})
	f.send(b, err)
	spawn(own)
	for _, want := range []dist.Op{dist.OpUnlinkIDAck, dist.OpSpawnReply} { // and nothing before
		frame := f.any()
		if frame.Op != want || frame.Op == dist.OpUnlinkIDAck && frame.ID != 7 || frame.Op == dist.OpSpawnReply && frame.Ref != own {
			t.Errorf("got %+v, want %s", frame, want)
		}
	}
}

func TestFramesThatAreNotBuilt(t *testing.T) {
	us, peer := etf.Pid{Node: ourName, ID: 1, Creation: 2}, dist.Node{Name: "a@127.0.0.1", Creation: 9}
	theirs := etf.Pid{Node: "a@127.0.0.1", ID: 1, Creation: 8}
	for name, c := range map[string]struct {
		build func() ([]byte, error)
		want  error
	}{
		"an unlink of the id 0":                   {func() ([]byte, error) { return dist.AppendUnlink(nil, 0, us, theirs, dist.Node{Creation: 8}) }, dist.ErrUnlinkID},
		"an unlink of an earlier incarnation":     {func() ([]byte, error) { return dist.AppendUnlink(nil, 1, us, theirs, peer) }, dist.ErrStale},
		"an unlink ack to an earlier incarnation": {func() ([]byte, error) { return dist.AppendUnlinkAck(nil, 1, us, theirs, peer) }, dist.ErrStale},
		"a link exit to an earlier incarnation":   {func() ([]byte, error) { return dist.AppendExit(nil, us, theirs, peer) }, dist.ErrStale},
	} {
		if b, err := c.build(); !errors.Is(err, c.want) || b != nil {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}
