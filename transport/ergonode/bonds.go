package ergonode

import (
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// bond is a link, in Erlang's sense, between a process of the peer's and one of
// ours. Only the peer makes them. Ours trap exits: the end of a linked process
// takes nothing of ours with it, but for a function that the peer itself has called.
type bond struct{ theirs, ours etf.Pid }

// bind keeps a link to what is there, and answers every other at once. A signal
// from a pid of another node would end the connection, so there is none.
func (l *link) bind(c dist.Control) {
	if !l.node.named(c.To) {
		return
	}
	reason := noproc
	if l.alive(c.To) {
		l.mu.Lock()
		full := len(l.watches)+len(l.bonds) >= l.node.o.Limits.Monitors
		if !full && !l.over {
			l.bonds[bond{c.From, c.To}] = struct{}{}
			l.note(c.To)
		}
		l.mu.Unlock()
		if !full {
			if !l.alive(c.To) { // it has ended meanwhile, and this link was not there yet
				l.parted(c.To, noproc)
			}
			return
		}
		reason = "system_limit"
	}
	l.sendExit(c.To, c.From, reason)
}

// unbind takes a link back. The ack goes before all else that either end might say.
func (l *link) unbind(c dist.Control) {
	l.mu.Lock()
	delete(l.bonds, bond{c.From, c.To})
	l.mu.Unlock()
	if b, err := dist.AppendUnlinkAck(nil, c.ID, c.To, c.From, l.with); err == nil && l.node.named(c.To) {
		l.push(b)
	}
}

// bereaved takes the end of a process that was linked to one of ours.
func (l *link) bereaved(c dist.Control) {
	b := bond{c.From, c.To}
	l.mu.Lock()
	_, here := l.bonds[b]
	delete(l.bonds, b)
	l.mu.Unlock()
	if here {
		l.killed(c)
	}
}

// parted tells all who are linked to a process of ours, or watch it by its pid, that
// it has ended.
func (l *link) parted(ours etf.Pid, reason etf.Term) {
	l.unwatch(reason, func(_ etf.Ref, w watch) bool { return w.name == "" && w.pid == ours })
	var theirs []etf.Pid
	l.mu.Lock()
	for b := range l.bonds {
		if b.ours == ours {
			theirs = append(theirs, b.theirs)
			delete(l.bonds, b)
		}
	}
	l.mu.Unlock()
	for _, to := range theirs {
		l.sendExit(ours, to, reason)
	}
}

// sendExit ends a link. One to a former incarnation would end the connection, and
// is not built.
func (l *link) sendExit(from, to etf.Pid, reason etf.Term) {
	b, err := dist.AppendExit(nil, from, to, l.with)
	if err == nil {
		b, err = l.append(b, reason)
	}
	if err == nil {
		l.push(b)
	}
}
