package pubsub

import "ehc/transport/etf"

// kind is what a message between scopes is about.
type kind int

const (
	discover kind = iota + 1
	replace       // all members of the sender's node
	change        // some that join, some that leave
)

// member is a process in a group.
type member struct {
	group etf.Atom
	pid   etf.Pid
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
	join, leave []member
}

// noteOf reads a message, or says that it is none of these. Groups that are no
// atoms, and members of other nodes, are left out.
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
		n.join, ok = n.members(nil, m[2], m[3])
		return n, ok
	case tag == "leave" && len(m) == 4:
		n.kind = change
		groups, proper := m[3].(etf.List)
		ok = proper
		for _, g := range groups {
			if ok {
				n.leave, ok = n.members(n.leave, g, m[2])
			}
		}
		return n, ok
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
			n.join, ok = n.members(n.join, pair[0], pair[1])
		}
	case tag == "local_data" && len(m) == 4:
		groups, isMap := m[3].(etf.Map)
		ok = isMap
		for _, p := range groups {
			if ok {
				n.join, ok = n.members(n.join, p.Key, p.Value)
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
		n.join, joined = n.members(n.join, m[0], m[1])
		n.leave, left = n.members(n.leave, m[0], m[2])
		ok = joined && left
	}
	return n, ok
}

// members appends those of a group, given as a pid or as a list of pids.
func (n note) members(to []member, group, pids etf.Term) ([]member, bool) {
	name, isAtom := group.(etf.Atom)
	if pid, single := pids.(etf.Pid); single {
		pids = etf.List{pid}
	}
	list, ok := pids.(etf.List)
	for _, p := range list {
		pid, isPid := p.(etf.Pid)
		if !isPid {
			return to, false
		}
		if isAtom && pid.Node == n.from.Node {
			to = append(to, member{name, pid})
		}
	}
	return to, ok
}
