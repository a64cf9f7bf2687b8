package ergonode

import (
	"ehc/transport/dist"
	"ehc/transport/etf"
)

const (
	noproc     = etf.Atom("noproc")
	overloaded = etf.Atom("overloaded")
)

// watch is a monitor that the peer holds: by watches name, or pid if that is empty.
type watch struct {
	by   etf.Pid
	name etf.Atom
	pid  etf.Pid
}

// monitored keeps a monitor of what is there, and answers every other at once: an
// unanswered one would hang its holder.
func (l *link) monitored(c dist.Control) {
	w := watch{by: c.From}
	known := false
	if c.Named {
		w.name = c.Name
		known = c.Name == netKernel || c.Name == rex || l.node.party.registered(c.Name) || l.node.seat.node.ProcessByName(string(c.Name)) != nil
	} else {
		w.pid = c.To
		known = l.alive(c.To)
	}
	if !known {
		l.sendDown(w, c.Ref, noproc)
		return
	}
	l.mu.Lock()
	full := len(l.watches)+len(l.bonds) >= l.node.o.Limits.Monitors
	if !full && !l.over {
		l.watches[c.Ref] = w
	}
	l.mu.Unlock()
	if full {
		l.sendDown(w, c.Ref, etf.Atom("system_limit"))
	}
}

// alive says whether a pid is a process of ours.
func (l *link) alive(p etf.Pid) bool {
	switch {
	case !l.node.present(p):
		return false
	case p == l.caller || p == l.leader || p == l.node.pid(netKernelID):
		return true
	case p.Serial == spawnSerial:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.spawned[p.ID] != nil
	case l.node.party.alive(p):
		return true
	}
	return l.node.seat.node.ProcessByPid(toErgoPid(p)) != nil
}

// demonitored forgets a monitor, and the call that it guards: the caller has its
// answer, or has given up.
func (l *link) demonitored(c dist.Control) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watches, c.Ref)
	if id, ok := l.waiting[c.Ref]; ok {
		l.forget(id)
	}
	if s := l.spawned[c.To.ID]; s != nil && c.To.Serial == spawnSerial && s.request == c.Ref {
		s.monitored = false
	}
}

// sendDown ends a monitor.
func (l *link) sendDown(w watch, ref etf.Ref, reason etf.Term) {
	var b []byte
	var err error
	if w.name != "" {
		b, err = dist.AppendDownName(nil, w.name, w.by, ref)
	} else {
		b = dist.AppendDown(nil, w.pid, w.by, ref)
	}
	if err == nil {
		b, err = l.append(b, reason)
	}
	if err == nil {
		_ = l.push(b)
	}
}

// serverEnded tells the peer that a registered process of ours has ended.
func (l *link) serverEnded(name etf.Atom, pid etf.Pid, reason etf.Term) {
	ended := map[etf.Ref]watch{}
	l.mu.Lock()
	for ref, w := range l.watches {
		if w.name == name || w.name == "" && w.pid == pid {
			ended[ref] = w
			delete(l.watches, ref)
		}
	}
	l.mu.Unlock()
	for ref, w := range ended {
		l.sendDown(w, ref, reason)
	}
	l.parted(pid, reason)
}
