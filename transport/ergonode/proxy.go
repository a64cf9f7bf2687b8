package ergonode

import (
	"math/big"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/ergo-services/ergo/lib"
	"github.com/ergo-services/ergo/node"

	"ehc/transport/dist"
	"ehc/transport/etf"
)

// proxy is a link as ergo sees it: what ergo's processes send to the peer goes
// through here. ergo never holds a peer's monitors or links, for we keep those, so
// it has no exits to send; links from its processes are not supported.
type proxy struct {
	unsupported
	link    *link
	session string // ergo's name for the connection
}

var _ node.ConnectionInterface = (*proxy)(nil)

// ProxyConnectReply is how ergo says that it has taken the connection.
func (x *proxy) ProxyConnectReply(r node.ProxyConnectReply) error {
	x.session = r.SessionID
	return nil
}

// ProxyRegisterSession and the other two are told of what seat did itself.
func (x *proxy) ProxyRegisterSession(node.ProxySession) error { return nil }

// ProxyUnregisterSession has nothing to undo.
func (x *proxy) ProxyUnregisterSession(string) error { return nil }

// ProxyDisconnect is ergo's Disconnect.
func (x *proxy) ProxyDisconnect(node.ProxyDisconnect) error {
	x.link.end(errDisconnected)
	return nil
}

// Send sends a message; the answer to an inbound call gets back the tag it came with.
func (x *proxy) Send(from gen.Process, to eetf.Pid, message eetf.Term) error {
	if t, ok := message.(eetf.Tuple); ok && len(t) == 2 {
		if ref, ok := t[0].(eetf.Ref); ok && ref.ID[2] == refTag {
			return x.link.answer(idOf(fromErgoRef(ref)), fromErgo(t[1]))
		}
	}
	return x.send(dist.AppendSend(nil, fromErgoPid(from.Self()), fromErgoPid(to)), nil, message)
}

// SendReg sends a message to a registered name.
func (x *proxy) SendReg(from gen.Process, to gen.ProcessID, message eetf.Term) error {
	b, err := dist.AppendRegSend(nil, fromErgoPid(from.Self()), etf.Atom(to.Name))
	return x.send(b, err, message)
}

// SendAlias sends a message to an alias.
func (x *proxy) SendAlias(from gen.Process, to eetf.Alias, message eetf.Term) error {
	return x.send(dist.AppendAliasSend(nil, fromErgoPid(from.Self()), fromErgoRef(eetf.Ref(to))), nil, message)
}

// send waits for room as an Erlang sender would be suspended.
func (x *proxy) send(b []byte, err error, message eetf.Term) error {
	if err == nil {
		b, err = etf.Append(b, fromErgo(message))
	}
	if err == nil {
		err = x.link.put(x.link.ctx, b)
	}
	return err
}

// Monitor and what follows must not wait: ergo calls them with its locks held.
func (x *proxy) Monitor(local, remote eetf.Pid, ref eetf.Ref) error {
	return x.link.push(dist.AppendMonitor(nil, fromErgoPid(local), fromErgoPid(remote), fromErgoRef(ref)))
}

// Demonitor takes a monitor back.
func (x *proxy) Demonitor(local, remote eetf.Pid, ref eetf.Ref) error {
	return x.link.push(dist.AppendDemonitor(nil, fromErgoPid(local), fromErgoPid(remote), fromErgoRef(ref)))
}

// MonitorReg monitors a registered name.
func (x *proxy) MonitorReg(local eetf.Pid, remote gen.ProcessID, ref eetf.Ref) error {
	b, err := dist.AppendMonitorName(nil, fromErgoPid(local), etf.Atom(remote.Name), fromErgoRef(ref))
	if err != nil {
		return err
	}
	return x.link.push(b)
}

// DemonitorReg takes a monitor of a name back.
func (x *proxy) DemonitorReg(local eetf.Pid, remote gen.ProcessID, ref eetf.Ref) error {
	b, err := dist.AppendDemonitorName(nil, fromErgoPid(local), etf.Atom(remote.Name), fromErgoRef(ref))
	if err != nil {
		return err
	}
	return x.link.push(b)
}

// Creation is the peer's incarnation.
func (x *proxy) Creation() uint32 { return x.link.with.Creation }

// Stats has the name and the bytes that were read.
func (x *proxy) Stats() node.NetworkStats {
	return node.NetworkStats{NodeName: x.link.with.Name, BytesIn: x.link.heard.Load()}
}

// unsupported is what ergo's nodes do among themselves.
type unsupported struct{}

func (unsupported) Link(_, _ eetf.Pid) error               { return lib.ErrUnsupported }
func (unsupported) Unlink(_, _ eetf.Pid) error             { return lib.ErrUnsupported }
func (unsupported) LinkExit(_, _ eetf.Pid, _ string) error { return lib.ErrUnsupported }

func (unsupported) MonitorExit(_, _ eetf.Pid, _ string, _ eetf.Ref) error { return lib.ErrUnsupported }

func (unsupported) MonitorExitReg(eetf.Pid, gen.ProcessID, string, eetf.Ref) error {
	return lib.ErrUnsupported
}

func (unsupported) SpawnRequest(string, string, gen.RemoteSpawnRequest, ...eetf.Term) error {
	return lib.ErrUnsupported
}
func (unsupported) SpawnReply(_ eetf.Pid, _ eetf.Ref, _ eetf.Pid) error   { return lib.ErrUnsupported }
func (unsupported) SpawnReplyError(_ eetf.Pid, _ eetf.Ref, _ error) error { return lib.ErrUnsupported }
func (unsupported) ProxyConnectRequest(node.ProxyConnectRequest) error    { return lib.ErrUnsupported }
func (unsupported) ProxyConnectCancel(node.ProxyConnectCancel) error      { return lib.ErrUnsupported }
func (unsupported) ProxyPacket(*lib.Buffer) error                         { return lib.ErrUnsupported }

// fromErgo gives a term of an ergo process ehc's types, all the way down; what is
// ehc's already stays. ergo's strings are lists of bytes, its String a binary.
func fromErgo(t eetf.Term) etf.Term {
	switch v := t.(type) {
	case nil:
		return etf.List{}
	case eetf.Atom:
		return etf.Atom(v)
	case eetf.String:
		return string(v)
	case eetf.Charlist:
		return charlist(string(v))
	case string:
		return v
	case eetf.Pid:
		return fromErgoPid(v)
	case eetf.Ref:
		return fromErgoRef(v)
	case eetf.Alias:
		return fromErgoRef(eetf.Ref(v))
	case eetf.Tuple:
		return etf.Tuple(fromErgoAll(v))
	case eetf.List:
		return etf.List(fromErgoAll(v))
	case eetf.ListImproper:
		all := fromErgoAll(v)
		if len(all) < 2 {
			return etf.List(all)
		}
		return etf.ImproperList{Elems: all[:len(all)-1], Tail: all[len(all)-1]}
	case eetf.Map:
		m := make(etf.Map, 0, len(v))
		for key, value := range v {
			m = append(m, etf.Pair{Key: fromErgo(key), Value: fromErgo(value)})
		}
		return m
	case big.Int:
		return &v
	}
	return t
}

func charlist(s string) etf.List {
	l := make(etf.List, 0, len(s))
	for _, r := range s {
		l = append(l, int(r))
	}
	return l
}

func fromErgoAll(ts []eetf.Term) []etf.Term {
	out := make([]etf.Term, len(ts))
	for i, t := range ts {
		out[i] = fromErgo(t)
	}
	return out
}

func fromErgoPid(p eetf.Pid) etf.Pid {
	return etf.Pid{Node: etf.Atom(p.Node), ID: uint32(p.ID), Serial: uint32(p.ID >> 32), Creation: p.Creation}
}

func toErgoPid(p etf.Pid) eetf.Pid {
	return eetf.Pid{Node: eetf.Atom(p.Node), ID: uint64(p.Serial)<<32 | uint64(p.ID), Creation: p.Creation}
}

// fromErgoRef guesses the length, which ergo does not keep: five words if the last
// two are in use.
func fromErgoRef(r eetf.Ref) etf.Ref {
	words := uint8(3)
	if r.ID[3]|r.ID[4] != 0 {
		words = 5
	}
	return etf.Ref{Node: etf.Atom(r.Node), Creation: r.Creation, Len: words, ID: r.ID}
}

func toErgoRef(r etf.Ref) eetf.Ref {
	return eetf.Ref{Node: eetf.Atom(r.Node), Creation: r.Creation, ID: r.ID}
}
