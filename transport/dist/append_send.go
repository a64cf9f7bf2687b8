package dist

import "ehc/transport/etf"

// The builders. Each starts a frame in the memory of b, whose content it
// overwrites; nil will do. Those that say so leave off where the payload begins:
// the caller appends exactly one term. Then the caller calls Seal, and sends the
// frame as it is.
//
// A from has to be a pid of this node with its present creation, and an invented
// one will do; a peer closes on a link, unlink, monitor or exit signal from anyone
// else. Pids, references and names that a Decoder gave can be sent as they are.
// An error says that the peer would have closed because of the frame.

// AppendSend is a message to a process. The payload is the message. If the process
// is gone, the peer drops it.
func AppendSend(b []byte, from, to etf.Pid) []byte {
	b = etf.AppendPid(begin(b, OpSend, 3), from)
	return append(etf.AppendPid(b, to), version)
}

// AppendRegSend is a message to a registered name. The payload is the message. If
// nothing has the name, the peer drops it. The error is an *etf.ValueError.
func AppendRegSend(b []byte, from etf.Pid, to etf.Atom) ([]byte, error) {
	b = etf.AppendPid(begin(b, OpRegSend, 4), from)
	b, err := name(etf.AppendAtom(b, ""), to)
	if err != nil {
		return nil, err
	}
	return append(b, version), nil
}

// AppendAliasSend is a message to an alias. The payload is the message. If the
// alias is active no longer, the peer drops it. Every release takes it, offered or
// not.
func AppendAliasSend(b []byte, from etf.Pid, to etf.Ref) []byte {
	b = etf.AppendPid(begin(b, OpAliasSend, 3), from)
	return append(etf.AppendRef(b, to), version)
}
