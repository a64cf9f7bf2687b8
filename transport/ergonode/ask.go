package ergonode

import (
	"context"
	"fmt"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// CallServer implements transport.Conn: a monitor, then the request, whose tag is
// the monitor's reference; then either a reply or a down message.
func (l *link) CallServer(ctx context.Context, name string, request transport.Term) (transport.Term, error) {
	v, err := l.ask(ctx, etf.Atom(name), request)
	if err != nil {
		return nil, fmt.Errorf("call %s on %s: %w", name, l.with.Name, err)
	}
	return v, nil
}

func (l *link) ask(ctx context.Context, name etf.Atom, request etf.Term) (etf.Term, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ref, id := l.node.mint(refAsk)
	monitor, err := dist.AppendMonitorName(nil, l.caller, name, ref)
	if err != nil {
		return nil, err
	}
	message, err := l.genCall(name, ref, request)
	if err != nil {
		return nil, err
	}
	demonitor, err := dist.AppendDemonitorName(nil, l.caller, name, ref)
	if err != nil {
		return nil, err
	}
	k := &call{done: make(chan result, 1)}
	if err := l.expect(id, k); err != nil {
		return nil, err
	}
	if err := l.put(ctx, monitor, message); err != nil {
		l.claim(id)
		return nil, err
	}
	var r result
	select {
	case r = <-k.done:
	case <-ctx.Done():
		if l.claim(id) == nil { // the answer has just come
			r = <-k.done
			break
		}
		r.err = ctx.Err()
	}
	l.push(demonitor) // harmless after a down message
	return r.value, r.err
}

// genCall is the message {'$gen_call', {Caller, Ref}, Request}.
func (l *link) genCall(name etf.Atom, ref etf.Ref, request etf.Term) ([]byte, error) {
	b, err := dist.AppendRegSend(nil, l.caller, name)
	if err != nil {
		return nil, err
	}
	b = etf.AppendAtom(etf.AppendTupleHeader(b, 3), genCallTag)
	b = etf.AppendPid(etf.AppendTupleHeader(b, 2), l.caller)
	return l.append(etf.AppendRef(b, ref), request)
}

// replied takes a message to the caller: {Ref, Reply} is the answer to a call of
// ours, and everything else is late.
func (l *link) replied(payload []byte) {
	arity, rest, err := l.decoder.TupleHeader(payload)
	if err != nil || arity != 2 {
		return
	}
	ref, rest, err := l.decoder.Ref(rest)
	if err != nil || !l.node.ours(ref, refAsk) {
		return
	}
	k := l.claim(idOf(ref))
	if k == nil {
		return
	}
	value, _, err := l.decoder.Term(rest)
	if err != nil {
		k.deliver(result{err: fmt.Errorf("reply: %w", err)})
		return
	}
	k.deliver(result{value: value})
}

// exited takes the down message of a server that we have called.
func (l *link) exited(c dist.Control) {
	if k := l.claim(idOf(c.Ref)); k != nil {
		k.deliver(l.signal(c.Payload))
	}
}
