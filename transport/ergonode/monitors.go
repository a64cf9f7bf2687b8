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
	w := watch{by: c.From, pid: c.To}
	if c.Named {
		w = watch{by: c.From, name: c.Name}
	}
	if !l.there(w) {
		l.sendDown(w, c.Ref, noproc)
		return
	}
	l.mu.Lock()
	full := len(l.watches)+len(l.bonds) >= l.node.o.Limits.Monitors
	if !full && !l.over {
		l.watches[c.Ref] = w
		l.note(w.pid)
	}
	l.mu.Unlock()
	if full {
		l.sendDown(w, c.Ref, etf.Atom("system_limit"))
	} else if !l.there(w) { // it has ended meanwhile, and this monitor was not there yet
		l.unwatch(noproc, func(ref etf.Ref, _ watch) bool { return ref == c.Ref })
	}
}

// there says whether what is to be watched is a process of ours.
func (l *link) there(w watch) bool {
	if w.name == "" {
		return l.alive(w.pid)
	}
	return w.name == netKernel || w.name == rex || l.node.party.registered(w.name) || l.node.seat.node.ProcessByName(string(w.name)) != nil
}

// unwatch ends monitors.
func (l *link) unwatch(reason etf.Term, of func(etf.Ref, watch) bool) {
	ended := map[etf.Ref]watch{}
	l.mu.Lock()
	for ref, w := range l.watches {
		if of(ref, w) {
			ended[ref] = w
			delete(l.watches, ref)
		}
	}
	l.mu.Unlock()
	for ref, w := range ended {
		l.sendDown(w, ref, reason)
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
		return l.running(p) != nil
	case l.node.party.alive(p):
		return true
	}
	return l.node.seat.node.ProcessByPid(toErgoPid(p)) != nil
}

// demonitored forgets a monitor, and leaves the call that it guards without an answer:
// the caller has it, or has given up.
func (l *link) demonitored(c dist.Control) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watches, c.Ref)
	if id, ok := l.waiting[c.Ref]; ok {
		l.inbound[id].left = true
		delete(l.waiting, c.Ref)
	}
	if s := l.running(c.To); s != nil && s.request == c.Ref {
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
		l.push(b)
	}
}

// serverEnded tells the peer that a registered process of ours has ended.
func (l *link) serverEnded(name etf.Atom, pid etf.Pid, reason etf.Term) {
	l.unwatch(reason, func(_ etf.Ref, w watch) bool { return w.name == name })
	l.parted(pid, reason)
}
