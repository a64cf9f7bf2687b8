package dist

import "ehc/transport/etf"

// AppendMonitor asks the peer for one down message with this reference when the
// process ends, which is at once (noproc) if it is gone already.
func AppendMonitor(b []byte, from, to etf.Pid, ref etf.Ref) []byte {
	b = etf.AppendPid(begin(b, OpMonitor, 4), from)
	return etf.AppendRef(etf.AppendPid(b, to), ref)
}

// AppendMonitorName is AppendMonitor for a registered name; the down message then
// has the name and no pid. The error is an *etf.ValueError.
func AppendMonitorName(b []byte, from etf.Pid, to etf.Atom, ref etf.Ref) ([]byte, error) {
	b, err := name(etf.AppendPid(begin(b, OpMonitor, 4), from), to)
	if err != nil {
		return nil, err
	}
	return etf.AppendRef(b, ref), nil
}

// AppendDemonitor takes a monitor back: from, to and ref as they were. A down
// message may be on its way nevertheless.
func AppendDemonitor(b []byte, from, to etf.Pid, ref etf.Ref) []byte {
	b = etf.AppendPid(begin(b, OpDemonitor, 4), from)
	return etf.AppendRef(etf.AppendPid(b, to), ref)
}

// AppendDemonitorName is AppendDemonitor for a monitor by name. The error is an
// *etf.ValueError.
func AppendDemonitorName(b []byte, from etf.Pid, to etf.Atom, ref etf.Ref) ([]byte, error) {
	b, err := name(etf.AppendPid(begin(b, OpDemonitor, 4), from), to)
	if err != nil {
		return nil, err
	}
	return etf.AppendRef(b, ref), nil
}

// AppendDown tells a watcher that what it watched has ended, or was never there.
// The payload is the reason. watched is what the monitor named, of this node. A
// watcher that does not watch any more drops it.
func AppendDown(b []byte, watched, watcher etf.Pid, ref etf.Ref) []byte {
	b = etf.AppendPid(begin(b, OpDown, 4), watched)
	return append(etf.AppendRef(etf.AppendPid(b, watcher), ref), version)
}

// AppendDownName is AppendDown for a monitor by name. The error is an
// *etf.ValueError, and nil for a name that a Control gave.
func AppendDownName(b []byte, watched etf.Atom, watcher etf.Pid, ref etf.Ref) ([]byte, error) {
	b, err := name(begin(b, OpDown, 4), watched)
	if err != nil {
		return nil, err
	}
	return append(etf.AppendRef(etf.AppendPid(b, watcher), ref), version), nil
}
