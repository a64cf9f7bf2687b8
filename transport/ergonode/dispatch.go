package ergonode

import (
	"github.com/ergo-services/ergo/gen"

	"ehc/transport/dist"
	"ehc/transport/etf"
)

// dispatch takes one signal. It is the reader's, and waits for nothing.
//
//	signal            what becomes of it
//	SPAWN_REPLY       call of ours: started
//	DOWN              call of ours: ended; of a peer's pg scope; else a monitor of an
//	                  ergo process
//	SEND              to the caller: a reply; to the leader: output; to Phoenix.PubSub's
//	                  scope and workers: see party; else ergo
//	REG_SEND          net_kernel and rex: answered here; Phoenix.PubSub; else ergo
//	MONITOR           remembered, or answered with noproc
//	DEMONITOR         forgotten, and with it the call that it guards
//	SPAWN_REQUEST     a function of ours, or refused
//	EXIT2             ends a function of ours
//	LINK              remembered, or answered with noproc
//	EXIT              forgets the link, and ends a function of ours
//	UNLINK_ID         forgets the link, and is acknowledged
//	the rest          dropped: aliases that do not exist, group leaders
func (l *link) dispatch(c dist.Control) {
	switch c.Op {
	case dist.OpSpawnReply:
		l.started(c)
	case dist.OpDown:
		l.downed(c)
	case dist.OpSend:
		l.message(c)
	case dist.OpRegSend:
		switch c.Name {
		case netKernel:
			l.netKernel(c)
		case rex:
			l.rex(c)
		default:
			if !l.node.party.takes(l, c) {
				l.deliver(c)
			}
		}
	case dist.OpMonitor:
		l.monitored(c)
	case dist.OpDemonitor:
		l.demonitored(c)
	case dist.OpSpawnRequest:
		l.spawn(c)
	case dist.OpExit2:
		l.killed(c)
	case dist.OpLink:
		l.bind(c)
	case dist.OpExit:
		l.bereaved(c)
	case dist.OpUnlinkID:
		l.unbind(c)
	}
}

// named says whether a pid is of a node of our name, of whatever incarnation: a
// peer may still hold one of the last. Signals from any other would end the link.
func (n *Node) named(p etf.Pid) bool { return string(p.Node) == n.self.Name }

// present says whether a pid is of this node in its present incarnation.
func (n *Node) present(p etf.Pid) bool { return n.named(p) && p.Creation == n.self.Creation }

// downed takes the end of something that we watch.
func (l *link) downed(c dist.Control) {
	switch {
	case l.node.ours(c.Ref, refCall):
		l.ended(c)
		return
	case l.node.ours(c.Ref, refAsk):
		l.exited(c)
		return
	case l.node.ours(c.Ref, refScope):
		l.node.party.ended(l, c)
		return
	}
	reason, _, err := l.decoder.Term(c.Payload)
	if err != nil {
		return
	}
	router, ref := l.node.seat.router, toErgoRef(c.Ref)
	if c.Named {
		_ = router.RouteMonitorExitReg(gen.ProcessID{Name: string(c.Name), Node: l.with.Name}, etf.Text(reason), ref)
		return
	}
	_ = router.RouteMonitorExit(toErgoPid(c.From), etf.Text(reason), ref)
}

// message takes a message to a pid. One to another node is dropped: ergo would send
// it there, in the name of whatever process of ours the peer has given as its sender.
func (l *link) message(c dist.Control) {
	switch {
	case !l.node.present(c.To):
	case c.To == l.caller:
		l.replied(c.Payload)
	case c.To == l.leader:
		l.printed(c.Payload)
	default:
		if !l.node.party.takes(l, c) {
			l.deliver(c)
		}
	}
}

// printed answers output that comes to us because the peer's user process is not
// known yet: it comes to nothing, but whoever prints goes on.
//
//	{io_request, From, ReplyAs, Request}  ──▶  {io_reply, ReplyAs, ok}
func (l *link) printed(payload []byte) {
	t, _, err := l.decoder.Term(payload)
	m, ok := t.(etf.Tuple)
	if err != nil || !ok || len(m) != 4 || m[0] != etf.Term(etf.Atom("io_request")) {
		return
	}
	from, ok := m[1].(etf.Pid)
	if !ok || string(from.Node) != l.with.Name {
		return // passed on by somebody: there is no way to it here
	}
	var answer etf.Term = etf.Tuple{etf.Atom("error"), etf.Atom("enotsup")}
	if request, ok := m[3].(etf.Tuple); ok && len(request) > 0 &&
		(request[0] == etf.Term(etf.Atom("put_chars")) || request[0] == etf.Term(etf.Atom("requests"))) {
		answer = etf.Atom("ok")
	}
	b, err := l.append(dist.AppendSend(nil, l.leader, from), etf.Tuple{etf.Atom("io_reply"), m[2], answer})
	if err == nil {
		l.push(b)
	}
}
