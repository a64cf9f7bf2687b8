package ergonode

import (
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// rex is the name that calls of the older kind go to: rpc:block_call, C nodes and
// what does not know erpc. It answers for the same Functions:
//
//	message                                                          answer
//	{'$gen_call', From, {call | block_call, M, F, Args, Leader}}     the result
//	{'$gen_cast', {cast, M, F, Args, Leader}}                        –
//	{Pid, {call, M, F, Args, Leader}}                                {rex, the result}
//	{Pid, {sbcast, Name, Message}}                                   {rex, Node, {nonexisting_name, Name}}
//	{Pid, features_request}                                          {features_reply, Node, [erpc] or []}
//	any other call                                                   {badrpc, notsup}
const rex = "rex"

// notSupported is the answer to calls that nothing here is for.
var notSupported etf.Term = etf.Tuple{etf.Atom("error"), etf.Atom("notsup")}

func badrpc(why etf.Term) etf.Term { return etf.Tuple{etf.Atom("badrpc"), why} }

// rex takes a message to rex.
func (l *link) rex(c dist.Control) {
	t, _, err := l.decoder.Term(c.Payload)
	if err != nil {
		return
	}
	if call, request := genCallOf(t); call != nil {
		if string(call.caller.Node) == l.with.Name {
			call.server, call.size = rex, len(c.Payload)
			l.runRex(call, request)
		}
		return
	}
	m, ok := t.(etf.Tuple)
	if !ok || len(m) != 2 {
		return
	}
	if pid, ok := m[0].(etf.Pid); ok && string(pid.Node) == l.with.Name {
		l.rexMessage(pid, m[1], len(c.Payload))
	} else if m[0] == etf.Term(genCastTag) {
		l.runRex(&inbound{size: len(c.Payload)}, m[1])
	}
}

// rexMessage takes a request that came as a plain message of so many bytes.
func (l *link) rexMessage(from etf.Pid, request etf.Term, size int) {
	r, _ := request.(etf.Tuple)
	self := etf.Atom(l.node.self.Name)
	switch {
	case request == etf.Term(etf.Atom("features_request")):
		features := etf.List{}
		if len(l.node.o.Functions) > 0 {
			features = etf.List{etf.Atom("erpc")}
		}
		l.tell(from, etf.Tuple{etf.Atom("features_reply"), self, features})
	case len(r) == 3 && r[0] == etf.Term(etf.Atom("sbcast")):
		l.tell(from, etf.Tuple{etf.Atom(rex), self, etf.Tuple{etf.Atom("nonexisting_name"), r[1]}})
	default:
		l.runRex(&inbound{caller: from, tag: etf.Atom(rex), server: rex, size: size}, request)
	}
}

// tell sends a message that answers the reader's.
func (l *link) tell(to etf.Pid, message etf.Term) {
	if b, err := l.append(dist.AppendSend(nil, l.node.pid(rexID), to), message); err == nil {
		l.push(b)
	}
}

// runRex runs a function and answers its call. One without a tag is a cast.
func (l *link) runRex(call *inbound, request etf.Term) {
	e, ok := rexFunction(request, call.tag == nil)
	if !ok || len(l.node.o.Functions) == 0 {
		l.rexAnswer(call, badrpc(etf.Atom("notsup")))
		return
	}
	id, err := l.admit(call)
	if err != nil {
		l.rexAnswer(call, badrpc(overloaded))
		return
	}
	l.node.running.Go(func() { // the reader, which calls this, counts among running
		result := rexResult(l.execute(l.ctx, e))
		if call.tag == nil {
			l.take(id)
			return
		}
		_ = l.answer(id, result) // who asked is told, or gone
	})
}

// rexAnswer answers a call without running it.
func (l *link) rexAnswer(call *inbound, value etf.Term) {
	if call.tag == nil {
		return
	}
	if b, err := l.reply(call, l.node.pid(rexID), value); err == nil {
		l.push(b)
	}
}

// rexFunction reads {call | block_call | cast, Module, Function, Args, Leader}.
func rexFunction(request etf.Term, cast bool) (executed, bool) {
	r, ok := request.(etf.Tuple)
	if !ok || len(r) != 5 {
		return executed{}, false
	}
	verb, _ := r[0].(etf.Atom)
	if cast != (verb == "cast") || !cast && verb != "call" && verb != "block_call" {
		return executed{}, false
	}
	return functionOf(r[1:4])
}

// rexResult is what rpc:call returns for a result of erpc's.
func rexResult(t etf.Tuple) etf.Term {
	switch t[1] {
	case etf.Term(etf.Atom("return")), etf.Term(etf.Atom("throw")):
		return t[2]
	case etf.Term(etf.Atom("error")):
		return badrpc(etf.Tuple{etf.Atom("EXIT"), etf.Tuple{t[2], t[3]}})
	}
	return badrpc(etf.Tuple{etf.Atom("EXIT"), t[2]})
}
