package dist

import "ehc/transport/etf"

// AppendLink links a process of ours to one of the peer's. If that is gone the
// peer answers with an exit signal, reason noproc.
func AppendLink(b []byte, from, to etf.Pid) []byte {
	return etf.AppendPid(etf.AppendPid(begin(b, OpLink, 3), from), to)
}

// AppendUnlink takes a link back. The peer answers with an unlink ack of the same
// id; exit signals of the link that come before it are to be ignored. peer is the
// other end of this connection as the handshake gave it: a pid of its former
// incarnations is ErrStale, the id 0 is ErrUnlinkID.
func AppendUnlink(b []byte, id uint64, from, to etf.Pid, peer Node) ([]byte, error) {
	if to.Creation != peer.Creation {
		return nil, ErrStale
	}
	return unlink(b, OpUnlinkID, id, from, to)
}

// AppendUnlinkAck answers an unlink before any other signal from from to to: the
// id is the unlink's, from its To and to its From, of this connection and no other,
// for a peer closes on an ack to a pid of a former incarnation: that is ErrStale.
// The id 0 is ErrUnlinkID, and never what a Control gave.
func AppendUnlinkAck(b []byte, id uint64, from, to etf.Pid, peer Node) ([]byte, error) {
	if to.Creation != peer.Creation {
		return nil, ErrStale
	}
	return unlink(b, OpUnlinkIDAck, id, from, to)
}

func unlink(b []byte, op Op, id uint64, from, to etf.Pid) ([]byte, error) {
	if id == 0 {
		return nil, ErrUnlinkID
	}
	b = etf.AppendUint(begin(b, op, 4), id)
	return etf.AppendPid(etf.AppendPid(b, from), to), nil
}

// AppendExit is the exit signal of a link: from has ended. The payload is the
// reason. peer is the other end of this connection as the handshake gave it: a pid
// of its former incarnations is ErrStale. A link that does not exist any more is
// no matter.
func AppendExit(b []byte, from, to etf.Pid, peer Node) ([]byte, error) {
	if to.Creation != peer.Creation {
		return nil, ErrStale
	}
	b = etf.AppendPid(begin(b, OpExit, 3), from)
	return append(etf.AppendPid(b, to), version), nil
}

// AppendExit2 is what exit/2 sends: kill as the payload kills, every other reason
// may be trapped. It may go to a pid of any incarnation.
func AppendExit2(b []byte, from, to etf.Pid) []byte {
	b = etf.AppendPid(begin(b, OpExit2, 3), from)
	return append(etf.AppendPid(b, to), version)
}
