package pubsub

import "ehc/transport/etf"

// kind is what a message between scopes is about.
type kind int

const (
	discover kind = iota + 1
	replace       // all members of the sender's node
	change        // some that join, some that leave
)

// members are processes, each of them in each of the groups. They stay apart, for
// a leave of many processes from many groups is a short message about a great many
// memberships.
type members struct {
	groups []Group
	pids   []etf.Pid
}

// note is a message to our scope. S, the scope that sent it, says who its members
// are; what it says of other nodes' processes does not count.
//
//	discover   {discover, S}                                    OTP 23 and later
//	           {discover, S, Version}                           26 and later
//	replace    {'$gen_cast', {sync, S, [{Group, [Pid]}]}}       version 0
//	           {'$gen_cast', {local_data, S, Version, #{Group => [Pid]}}}   version 1: OTP 29
//	change     {join, S, Group, Pid | [Pid]}                    version 0
//	           {leave, S, Pid | [Pid], [Group]}                 version 0
//	           {update, S, [{Group, [Pid], [Pid]}]}             version 1: join, leave
type note struct {
	kind        kind
	from        etf.Pid
	join, leave []members
}

// noteOf reads a message, or says that it is none of these. Groups that are no
// adapter's, and members of other nodes, are left out. What it takes is in
// proportion to the message.
func noteOf(t etf.Term) (n note, ok bool) {
	m, _ := t.(etf.Tuple)
	if len(m) == 2 && m[0] == etf.Term(etf.Atom("$gen_cast")) {
		m, _ = m[1].(etf.Tuple)
		return castOf(m)
	}
	if len(m) < 2 {
		return note{}, false
	}
	tag, _ := m[0].(etf.Atom)
	if n.from, ok = m[1].(etf.Pid); !ok {
		return note{}, false
	}
	switch {
	case tag == "discover" && len(m) <= 3:
		n.kind = discover
		return n, true
	case tag == "join" && len(m) == 4:
		n.kind = change
		n.join, ok = n.members(nil, m[2:3], m[3])
		return n, ok
	case tag == "leave" && len(m) == 4:
		n.kind = change
		groups, proper := m[3].(etf.List)
		n.leave, ok = n.members(nil, groups, m[2])
		return n, ok && proper
	case tag == "update" && len(m) == 3:
		return n.update(m[2])
	}
	return note{}, false
}

// castOf reads what comes as a cast.
func castOf(m etf.Tuple) (n note, ok bool) {
	if len(m) < 3 {
		return note{}, false
	}
	n.kind = replace
	if n.from, ok = m[1].(etf.Pid); !ok {
		return note{}, false
	}
	switch tag, _ := m[0].(etf.Atom); {
	case tag == "sync" && len(m) == 3:
		groups, proper := m[2].(etf.List)
		ok = proper
		for _, g := range groups {
			pair, _ := g.(etf.Tuple)
			if ok = ok && len(pair) == 2; !ok {
				break
			}
			n.join, ok = n.members(n.join, pair[:1], pair[1])
		}
	case tag == "local_data" && len(m) == 4:
		groups, isMap := m[3].(etf.Map)
		ok = isMap
		for _, p := range groups {
			if ok {
				n.join, ok = n.members(n.join, []etf.Term{p.Key}, p.Value)
			}
		}
	default:
		ok = false
	}
	return n, ok
}

func (n note) update(t etf.Term) (note, bool) {
	n.kind = change
	changes, ok := t.(etf.List)
	for _, c := range changes {
		m, _ := c.(etf.Tuple)
		if ok = ok && len(m) == 3; !ok {
			break
		}
		var joined, left bool
		n.join, joined = n.members(n.join, m[:1], m[1])
		n.leave, left = n.members(n.leave, m[:1], m[2])
		ok = joined && left
	}
	return n, ok
}

// members appends those of groups, given as a pid or as a list of pids.
func (n note) members(to []members, groups []etf.Term, pids etf.Term) ([]members, bool) {
	if pid, single := pids.(etf.Pid); single {
		pids = etf.List{pid}
	}
	list, ok := pids.(etf.List)
	var of members
	for _, p := range list {
		pid, isPid := p.(etf.Pid)
		if !isPid {
			return to, false
		}
		if pid.Node == n.from.Node {
			of.pids = append(of.pids, pid)
		}
	}
	for _, t := range groups {
		name, _ := t.(etf.Atom)
		if g, adapter := GroupOf(name); adapter {
			of.groups = append(of.groups, g)
		}
	}
	if len(of.pids) > 0 && len(of.groups) > 0 {
		to = append(to, of)
	}
	return to, ok
}
