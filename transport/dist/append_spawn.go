package dist

import "ehc/transport/etf"

// Flags of a spawn reply: what has been set up.
const spawnedMonitored = 2

const tagNil = 106

// SpawnRequest is a process that the peer is asked to start.
type SpawnRequest struct {
	// ID comes back in the reply, and is the reference of the monitor.
	ID etf.Ref
	// From gets the reply and the down message.
	From etf.Pid
	// Leader is the group leader, which gets the output: a process that answers
	// io_request, or the function blocks when it prints.
	Leader           etf.Pid
	Module, Function etf.Atom
	Arity            uint8
	// Monitor asks for a down message when the process ends.
	Monitor bool
}

// AppendSpawnRequest asks for a process. The payload is the list of its arguments.
// The peer always answers with a spawn reply. The error is an *etf.ValueError.
func AppendSpawnRequest(b []byte, r SpawnRequest) ([]byte, error) {
	b = etf.AppendPid(etf.AppendRef(begin(b, OpSpawnRequest, 6), r.ID), r.From)
	b, err := name(append(etf.AppendPid(b, r.Leader), smallTuple, 3), r.Module)
	if err != nil {
		return nil, err
	}
	if b, err = name(b, r.Function); err != nil {
		return nil, err
	}
	b = append(b, smallInt, r.Arity)
	if r.Monitor {
		b = append(b, onlyMonitor...)
	} else {
		b = append(b, tagNil)
	}
	return append(b, version), nil
}

// AppendSpawnReply tells that a process was started. id and to are the Ref and the
// From of the request; a peer closes on an id that it has not made itself. If the
// request asked for a monitor, monitored is to be set, and the reply has to go
// before the down message: the other way round the peer closes.
func AppendSpawnReply(b []byte, id etf.Ref, to, started etf.Pid, monitored bool) []byte {
	b = etf.AppendPid(etf.AppendRef(begin(b, OpSpawnReply, 5), id), to)
	var flags byte
	if monitored {
		flags = spawnedMonitored
	}
	return etf.AppendPid(append(b, smallInt, flags), started)
}

// AppendSpawnFailure tells that nothing was started, and why: notsup, badopt,
// system_limit. The error is an *etf.ValueError.
func AppendSpawnFailure(b []byte, id etf.Ref, to etf.Pid, reason etf.Atom) ([]byte, error) {
	b = etf.AppendPid(etf.AppendRef(begin(b, OpSpawnReply, 5), id), to)
	return name(append(b, smallInt, 0), reason)
}
