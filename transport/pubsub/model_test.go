package pubsub_test

import (
	"fmt"
	"slices"

	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

// pg is a scope process of OTP as the tests imagine it: release 25, 27 or 29. What a
// real one dies of makes it crash here.
type pg struct {
	release int
	pid     etf.Pid
	local   map[etf.Atom][]etf.Pid
	known   map[etf.Pid]map[etf.Atom][]etf.Pid
	version map[etf.Pid]int
	crash   string
	sent    []etf.Term // to our scope
}

func newPG(release int, pid etf.Pid) *pg {
	return &pg{release: release, pid: pid, local: map[etf.Atom][]etf.Pid{}, known: map[etf.Pid]map[etf.Atom][]etf.Pid{}, version: map[etf.Pid]int{}}
}

func cast(ts ...etf.Term) etf.Term { return etf.Tuple{etf.Atom("$gen_cast"), etf.Tuple(ts)} }

// all is what the scope's own node has, for a peer of a version.
func (p *pg) all(version int) etf.Term {
	if version == 1 {
		m := etf.Map{}
		for g, pids := range p.local {
			m = append(m, etf.Pair{Key: g, Value: list(pids)})
		}
		return cast(etf.Atom("local_data"), p.pid, 1, m)
	}
	l := etf.List{}
	for g, pids := range p.local {
		l = append(l, etf.Tuple{g, list(pids)})
	}
	return cast(etf.Atom("sync"), p.pid, l)
}

func list(pids []etf.Pid) etf.List {
	l := etf.List{}
	for _, p := range pids {
		l = append(l, p)
	}
	return l
}

func (p *pg) hello() etf.Term {
	if p.release >= 29 {
		return etf.Tuple{etf.Atom("discover"), p.pid, 1}
	}
	return etf.Tuple{etf.Atom("discover"), p.pid}
}

func (p *pg) handle(m etf.Term) {
	t, _ := m.(etf.Tuple)
	if len(t) == 2 && t[0] == etf.Term(etf.Atom("$gen_cast")) {
		t = t[1].(etf.Tuple)
		if t[0] == etf.Term(etf.Atom("sync")) && len(t) == 3 {
			p.synced(t[1].(etf.Pid), t[2].(etf.List))
			return
		}
	}
	if len(t) == 2 && t[0] == etf.Term(etf.Atom("discover")) {
		p.discovered(t[1].(etf.Pid))
		return
	}
	p.crash = "release " + fmt.Sprint(p.release) + " does not know " + etf.Text(m)
}

func (p *pg) discovered(by etf.Pid) {
	_, known := p.known[by]
	if p.release >= 29 {
		p.version[by] = 0
	}
	p.sent = append(p.sent, p.all(p.version[by]))
	if !known {
		p.known[by] = map[etf.Atom][]etf.Pid{}
		p.sent = append(p.sent, p.hello())
	}
}

func (p *pg) synced(from etf.Pid, groups etf.List) {
	of := map[etf.Atom][]etf.Pid{}
	for _, g := range groups {
		pair := g.(etf.Tuple)
		for _, pid := range pair[1].(etf.List) {
			of[pair[0].(etf.Atom)] = append(of[pair[0].(etf.Atom)], pid.(etf.Pid))
		}
	}
	p.known[from] = of
}

// join and leave tell those who are known, as the release does.
func (p *pg) join(g etf.Atom, pid etf.Pid, single bool) {
	p.local[g] = append(p.local[g], pid)
	var who etf.Term = etf.List{pid}
	if single && p.release < 29 {
		who = pid
	}
	for range p.known {
		p.sent = append(p.sent, etf.Tuple{etf.Atom("join"), p.pid, g, who})
	}
}

func (p *pg) leave(g etf.Atom, pid etf.Pid) {
	i := slices.Index(p.local[g], pid)
	if i < 0 {
		return
	}
	if p.local[g] = slices.Delete(p.local[g], i, i+1); len(p.local[g]) == 0 {
		delete(p.local, g)
	}
	for range p.known {
		p.sent = append(p.sent, etf.Tuple{etf.Atom("leave"), p.pid, etf.List{pid}, etf.List{g}})
	}
}

// pools is what a node with this scope shows of a server.
func (p *pg) pool(server string) int {
	pool := 0
	for a := range p.local {
		if g, ok := pubsub.GroupOf(a); ok && g.Server == server {
			pool = max(pool, g.Number)
		}
	}
	return pool
}
