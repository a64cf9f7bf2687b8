package ergonode

import (
	"sync/atomic"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/ergo-services/ergo/lib"
	"github.com/ergo-services/ergo/node"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// proxy is a link as ergo sees it: what ergo's processes send to the peer goes
// through here. ergo never holds a peer's monitors or links, for we keep those, so
// it has no exits to send; links from its processes are not supported.
//
// ergo keeps every proxy that it was ever given. So one whose link has gone is given
// to the next link, of whatever peer: there are as many as links at most at once.
type proxy struct {
	unsupported
	link    atomic.Pointer[link]
	session atomic.Pointer[string] // ergo's name for the connection
}

// up returns the link to a node. A process of ergo's may be late, and the link that
// of another by now.
func (x *proxy) up(to string) (*link, error) {
	if l := x.link.Load(); l != nil && l.with.Name == to {
		return l, nil
	}
	return nil, transport.ErrDown
}

// push queues what must not wait.
func (x *proxy) push(to string, b []byte) error {
	l, err := x.up(to)
	if err != nil {
		return err
	}
	l.push(b)
	return nil
}

var _ node.ConnectionInterface = (*proxy)(nil)

// ProxyConnectReply is how ergo says that it has taken the connection.
func (x *proxy) ProxyConnectReply(r node.ProxyConnectReply) error {
	x.session.Store(&r.SessionID)
	return nil
}

// ProxyRegisterSession has nothing to keep.
func (x *proxy) ProxyRegisterSession(node.ProxySession) error { return nil }

// ProxyUnregisterSession has nothing to undo.
func (x *proxy) ProxyUnregisterSession(string) error { return nil }

// ProxyDisconnect is ergo's Disconnect.
func (x *proxy) ProxyDisconnect(d node.ProxyDisconnect) error {
	if l, session := x.link.Load(), x.session.Load(); l != nil && *session == d.SessionID {
		l.end(errDisconnected)
	}
	return nil
}

// Send sends a message; the answer to an inbound call gets back the tag it came with.
func (x *proxy) Send(from gen.Process, to eetf.Pid, message eetf.Term) error {
	if t, ok := message.(eetf.Tuple); ok && len(t) == 2 {
		if ref, ok := t[0].(eetf.Ref); ok && ref.ID[2] == refTag {
			l, err := x.up(string(to.Node))
			if err != nil {
				return err
			}
			return l.answer(idOf(fromErgoRef(ref)), fromErgo(t[1]))
		}
	}
	return x.send(string(to.Node), dist.AppendSend(nil, fromErgoPid(from.Self()), fromErgoPid(to)), nil, message)
}

// SendReg sends a message to a registered name.
func (x *proxy) SendReg(from gen.Process, to gen.ProcessID, message eetf.Term) error {
	b, err := dist.AppendRegSend(nil, fromErgoPid(from.Self()), etf.Atom(to.Name))
	return x.send(to.Node, b, err, message)
}

// SendAlias sends a message to an alias.
func (x *proxy) SendAlias(from gen.Process, to eetf.Alias, message eetf.Term) error {
	return x.send(string(to.Node), dist.AppendAliasSend(nil, fromErgoPid(from.Self()), fromErgoRef(eetf.Ref(to))), nil, message)
}

// send waits for room as an Erlang sender would be suspended.
func (x *proxy) send(to string, b []byte, err error, message eetf.Term) error {
	if err != nil {
		return err
	}
	l, err := x.up(to)
	if err != nil {
		return err
	}
	if b, err = l.append(b, fromErgo(message)); err != nil {
		return err
	}
	return l.put(l.ctx, b)
}

// Monitor and what follows must not wait: ergo calls them with its locks held.
func (x *proxy) Monitor(local, remote eetf.Pid, ref eetf.Ref) error {
	return x.push(string(remote.Node), dist.AppendMonitor(nil, fromErgoPid(local), fromErgoPid(remote), fromErgoRef(ref)))
}

// Demonitor takes a monitor back.
func (x *proxy) Demonitor(local, remote eetf.Pid, ref eetf.Ref) error {
	return x.push(string(remote.Node), dist.AppendDemonitor(nil, fromErgoPid(local), fromErgoPid(remote), fromErgoRef(ref)))
}

// MonitorReg monitors a registered name.
func (x *proxy) MonitorReg(local eetf.Pid, remote gen.ProcessID, ref eetf.Ref) error {
	b, err := dist.AppendMonitorName(nil, fromErgoPid(local), etf.Atom(remote.Name), fromErgoRef(ref))
	if err != nil {
		return err
	}
	return x.push(remote.Node, b)
}

// DemonitorReg takes a monitor of a name back.
func (x *proxy) DemonitorReg(local eetf.Pid, remote gen.ProcessID, ref eetf.Ref) error {
	b, err := dist.AppendDemonitorName(nil, fromErgoPid(local), etf.Atom(remote.Name), fromErgoRef(ref))
	if err != nil {
		return err
	}
	return x.push(remote.Node, b)
}

// Creation is the incarnation of the peer that has the link now.
func (x *proxy) Creation() uint32 {
	if l := x.link.Load(); l != nil {
		return l.with.Creation
	}
	return 0
}

// Stats has the name and the bytes that were read.
func (x *proxy) Stats() node.NetworkStats {
	if l := x.link.Load(); l != nil {
		return node.NetworkStats{NodeName: l.with.Name, BytesIn: l.heard.Load()}
	}
	return node.NetworkStats{}
}

// unsupported is what ergo's nodes do among themselves.
type unsupported struct{}

// Link would need links of our processes.
func (unsupported) Link(_, _ eetf.Pid) error { return lib.ErrUnsupported }

// Unlink would need links of our processes.
func (unsupported) Unlink(_, _ eetf.Pid) error { return lib.ErrUnsupported }

// LinkExit would need links of our processes.
func (unsupported) LinkExit(_, _ eetf.Pid, _ string) error { return lib.ErrUnsupported }

// MonitorExit is for monitors of a peer that ergo holds: it holds none.
func (unsupported) MonitorExit(_, _ eetf.Pid, _ string, _ eetf.Ref) error { return lib.ErrUnsupported }

// MonitorExitReg is MonitorExit for a name.
func (unsupported) MonitorExitReg(eetf.Pid, gen.ProcessID, string, eetf.Ref) error {
	return lib.ErrUnsupported
}

// SpawnRequest is ergo's own remote spawn.
func (unsupported) SpawnRequest(string, string, gen.RemoteSpawnRequest, ...eetf.Term) error {
	return lib.ErrUnsupported
}

// SpawnReply is ergo's own remote spawn.
func (unsupported) SpawnReply(_ eetf.Pid, _ eetf.Ref, _ eetf.Pid) error { return lib.ErrUnsupported }

// SpawnReplyError is ergo's own remote spawn.
func (unsupported) SpawnReplyError(_ eetf.Pid, _ eetf.Ref, _ error) error { return lib.ErrUnsupported }

// ProxyConnectRequest would pass on for others.
func (unsupported) ProxyConnectRequest(node.ProxyConnectRequest) error { return lib.ErrUnsupported }

// ProxyConnectCancel would pass on for others.
func (unsupported) ProxyConnectCancel(node.ProxyConnectCancel) error { return lib.ErrUnsupported }

// ProxyPacket would pass on for others.
func (unsupported) ProxyPacket(*lib.Buffer) error { return lib.ErrUnsupported }
