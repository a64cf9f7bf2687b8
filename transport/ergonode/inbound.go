package ergonode

import (
	"errors"
	"fmt"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/ergo-services/ergo/lib"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

const (
	genCallTag = etf.Atom("$gen_call")
	genCastTag = etf.Atom("$gen_cast")
	netKernel  = "net_kernel"
)

// inbound is a gen_server call of the peer that has no answer yet. ergo's servers
// know two shapes of tags and the wire has five, so they are given a reference of
// ours in its place, and the tag goes back as it came.
type inbound struct {
	caller  etf.Pid
	tag     etf.Term
	alias   *etf.Ref // the answer goes there, if there is one
	monitor etf.Ref  // by which the caller watches the server; zero if the tag does not say
	server  etf.Atom
	size    int  // of the message, in bytes
	left    bool // the caller has given up, and the handler may still run; guarded by link.mu
}

// deliver hands a message to a process of ergo's, if there is one. What it gets has
// ehc's types but for the envelope of gen_server, which ergo's servers look into.
func (l *link) deliver(c dist.Control) {
	t, _, err := l.decoder.Term(c.Payload)
	if err != nil {
		l.node.o.Log.Warn("message dropped", "from", l.with.Name, "to", c.Name, "error", err)
		if call := l.callerIn(c.Payload); call != nil && string(call.caller.Node) == l.with.Name {
			call.server = c.Name
			l.turnAway(call, err, handlerError(err))
		}
		return
	}
	call, request := genCallOf(t)
	if call == nil {
		l.handOn(c, t)
		return
	}
	if string(call.caller.Node) != l.with.Name {
		return // passed on by somebody: there is no way to the caller here
	}
	call.server, call.size = c.Name, len(c.Payload)
	id, err := l.admit(call)
	if err == nil {
		tag := toErgoRef(l.node.ref(refTag, id))
		err = l.route(c, eetf.Tuple{eetf.Atom(genCallTag), eetf.Tuple{toErgoPid(call.caller), tag}, request})
	}
	if err != nil {
		l.refuse(id, call, err)
	}
}

// handOn passes on what is no call. Servers have a use for casts only: anything else
// would take the places of calls in their mailboxes.
func (l *link) handOn(c dist.Control, t etf.Term) {
	s := l.node.server(c)
	if s == nil {
		_ = l.route(c, envelope(t))
		return
	}
	if request, ok := castOf(t); ok {
		s.cast(l, request, len(c.Payload))
		return
	}
	l.declined(t)
}

func (l *link) route(c dist.Control, message eetf.Term) error {
	r := l.node.seat.router
	if c.Op == dist.OpRegSend {
		return r.RouteSendReg(toErgoPid(c.From), gen.ProcessID{Name: string(c.Name), Node: l.node.self.Name}, message)
	}
	return r.RouteSend(toErgoPid(c.From), toErgoPid(c.To), message)
}

// envelope gives casts, and replies to calls of ergo's processes, the types that
// ergo looks for.
func envelope(t etf.Term) eetf.Term {
	m, ok := t.(etf.Tuple)
	if !ok || len(m) != 2 {
		return t
	}
	if ref, ok := m[0].(etf.Ref); ok {
		return eetf.Tuple{toErgoRef(ref), m[1]}
	}
	if m[0] == etf.Term(genCastTag) {
		return eetf.Tuple{eetf.Atom(genCastTag), m[1]}
	}
	return t
}

// admit puts a call into the table.
func (l *link) admit(call *inbound) (uint64, error) {
	id := l.node.minted.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return id, l.gone()
	}
	if l.busy() {
		return id, transport.ErrBusy
	}
	l.inbound[id] = call
	l.load += call.size
	if call.monitor != (etf.Ref{}) {
		l.waiting[call.monitor] = id
	}
	return id, nil
}

// take takes a call out of the table once its handler has returned, or will never
// run: until then it counts. There is none if the caller has given up.
func (l *link) take(id uint64) *inbound {
	l.mu.Lock()
	defer l.mu.Unlock()
	call := l.inbound[id]
	if call == nil {
		return nil
	}
	delete(l.inbound, id)
	l.load -= call.size
	if call.left {
		return nil
	}
	if l.waiting[call.monitor] == id {
		delete(l.waiting, call.monitor)
	}
	return call
}

// answer sends {Tag, Value} to whoever asked.
func (l *link) answer(id uint64, value etf.Term) error {
	call := l.take(id)
	if call == nil {
		return nil
	}
	b, err := l.reply(call, l.caller, value)
	if err == nil {
		err = l.put(l.ctx, b)
	}
	if err != nil && l.ctx.Err() == nil {
		l.exit(call, etf.Tuple{etf.Atom("error"), err.Error()})
	}
	return err
}

func (l *link) reply(call *inbound, from etf.Pid, value etf.Term) ([]byte, error) {
	b := dist.AppendSend(nil, from, call.caller)
	if call.alias != nil {
		b = dist.AppendAliasSend(nil, from, *call.alias)
	}
	b, err := l.append(etf.AppendTupleHeader(b, 2), call.tag)
	if err != nil {
		return nil, err
	}
	return l.append(b, value)
}

// refuse ends a call that nobody will answer.
func (l *link) refuse(id uint64, call *inbound, why error) {
	l.take(id)
	if errors.Is(why, lib.ErrProcessMailboxFull) || errors.Is(why, transport.ErrBusy) {
		l.turnAway(call, transport.ErrBusy, overloaded)
		return
	}
	l.exit(call, noproc)
}

// turnAway answers a call that its server does not get as the server would have it, or
// else has its caller exit with reason.
func (l *link) turnAway(call *inbound, why error, reason etf.Term) {
	if answer := l.node.o.TurnedAway[string(call.server)]; answer != nil {
		if b, err := l.reply(call, l.caller, answer(why)); err == nil {
			l.push(b)
			return
		}
	}
	l.exit(call, reason)
}

// exit ends the monitor by which a caller watches the server, so that its call
// ends with the reason.
func (l *link) exit(call *inbound, reason etf.Term) {
	l.mu.Lock()
	ref := call.monitor
	w, ok := l.watches[ref]
	if !ok { // the tag does not say, so any of the caller's on this server will do
		for ref, w = range l.watches {
			if ok = w.by == call.caller && w.name == call.server; ok {
				break
			}
		}
	}
	if ok {
		delete(l.watches, ref)
	}
	l.mu.Unlock()
	if ok {
		l.sendDown(w, ref, reason)
	}
}

// handlerError is what a caller gets to see of a handler's error.
func handlerError(err error) etf.Term { return etf.Tuple{etf.Atom("error"), fmt.Sprint(err)} }
