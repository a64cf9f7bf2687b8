package pubsub

import "ehc/transport/etf"

// join takes in members of a group, as far as the limits let it. It says whether
// there was one.
func (p *peer) join(g Group, pids []etf.Pid) (some bool) {
	for _, pid := range pids {
		of := p.members[g]
		if of == nil && len(p.members) >= MaxGroups || p.held >= MaxMembers {
			p.dropped++
			continue
		}
		if of == nil {
			of = map[etf.Pid]int{}
			p.members[g] = of
		}
		of[pid]++
		p.held++
		some = true
	}
	return some
}

// leave forgets members. Only groups that are held are gone through, each once, so
// that it takes no more than the sum of what is named and what is held.
func (p *peer) leave(m members) {
	groups, pids := map[Group]int{}, map[etf.Pid]int{}
	for _, g := range m.groups {
		if p.members[g] != nil {
			groups[g]++
		}
	}
	if len(groups) == 0 {
		return
	}
	for _, pid := range m.pids {
		pids[pid]++
	}
	for g, often := range groups {
		of := p.members[g]
		each(pids, of, func(pid etf.Pid) { p.part(of, pid, often*pids[pid]) })
		if len(of) == 0 {
			delete(p.members, g)
		}
	}
}

// part takes a process out of a group, as often as it is in there or n times.
func (p *peer) part(of map[etf.Pid]int, pid etf.Pid, n int) {
	n = min(n, of[pid])
	p.held -= n
	if of[pid] -= n; of[pid] == 0 {
		delete(of, pid)
	}
}

// each calls do with what is in both. do may delete what it is given.
func each(a, b map[etf.Pid]int, do func(etf.Pid)) {
	if len(a) > len(b) {
		a, b = b, a
	}
	for pid := range a {
		if _, both := b[pid]; both {
			do(pid)
		}
	}
}
