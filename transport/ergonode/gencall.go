package ergonode

import (
	"bytes"

	"ehc/transport/dist"
	"ehc/transport/etf"
)

// genCallOf reads {'$gen_call', {Caller, Tag}, Request}.
func genCallOf(t etf.Term) (call *inbound, request etf.Term) {
	if m, ok := t.(etf.Tuple); ok && len(m) == 3 && m[0] == etf.Term(genCallTag) {
		return askedBy(m)
	}
	return nil, nil
}

// callerIn reads who asks from a call whose request cannot be read; nil if it is none.
func (l *link) callerIn(payload []byte) *inbound {
	m := etf.Tuple{nil, nil, nil}
	rest, ok := bytes.CutPrefix(payload, etf.AppendTupleHeader(nil, len(m)))
	if !ok {
		return nil
	}
	for i := range 2 {
		var err error
		if m[i], rest, err = l.decoder.Term(rest); err != nil {
			return nil
		}
	}
	call, _ := genCallOf(m)
	return call
}

// declined answers a call of another behaviour than gen_server, which would hang
// for as long as its caller likes: {error, notsup}.
//
//	{system, {Caller, Tag}, Request}   sys:get_state, gen_server:stop
//	{Caller, {Caller, Tag}, Request}   gen_event:call, gen_event:sync_notify
func (l *link) declined(t etf.Term) {
	m, ok := t.(etf.Tuple)
	if !ok || len(m) != 3 {
		return
	}
	call, _ := askedBy(m)
	if call == nil || string(call.caller.Node) != l.with.Name || m[0] != etf.Term(etf.Atom("system")) && m[0] != etf.Term(call.caller) {
		return
	}
	if b, err := l.reply(call, l.caller, notSupported); err == nil {
		l.push(b)
	}
}

// askedBy reads {_, {Caller, Tag}, Request}.
func askedBy(m etf.Tuple) (call *inbound, request etf.Term) {
	from, ok := m[1].(etf.Tuple)
	if !ok || len(from) != 2 {
		return nil, nil
	}
	caller, ok := from[0].(etf.Pid)
	if !ok {
		return nil, nil
	}
	call = &inbound{caller: caller, tag: from[1]}
	if alias, ok := aliasOf(call.tag); ok {
		call.alias, call.monitor = &alias, alias
	} else if ref, ok := call.tag.(etf.Ref); ok {
		call.monitor = ref
	}
	return call, m[2]
}

// aliasOf finds Ref in a tag. A caller that uses no alias has another tag.
//
//	Ref                      gen_server:call before OTP 24, and others
//	[alias | Ref]            gen_server:call
//	[[alias | Ref] | Ref2]   gen_server:multi_call of OTP 26 and later
//	{Ref, Node}              gen_server:multi_call before
func aliasOf(tag etf.Term) (etf.Ref, bool) {
	l, ok := tag.(etf.ImproperList)
	if !ok || len(l.Elems) != 1 {
		return etf.Ref{}, false
	}
	if l.Elems[0] == etf.Term(etf.Atom("alias")) {
		ref, ok := l.Tail.(etf.Ref)
		return ref, ok
	}
	return aliasOf(l.Elems[0])
}

// netKernel answers pings here, so that they survive anything that ergo's
// processes are busy with. A peer that gets no yes closes the connection.
func (l *link) netKernel(c dist.Control) {
	t, _, err := l.decoder.Term(c.Payload)
	if err != nil {
		return
	}
	call, request := genCallOf(t)
	if call == nil {
		return
	}
	value := notSupported
	if r, ok := request.(etf.Tuple); ok && len(r) == 2 && r[0] == etf.Term(etf.Atom("is_auth")) {
		value = etf.Atom("yes")
	}
	if b, err := l.reply(call, l.node.pid(netKernelID), value); err == nil {
		l.push(b)
	}
}
