package ergonode

import (
	"context"
	"fmt"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// The third word of references that we mint says what they are for. ergo's own
// have 0 there.
const (
	refCall = 0xE4C00001 // an erpc call of ours
	refAsk  = 0xE4C00002 // a gen_server call of ours
	refTag  = 0xE4C00003 // stands for the tag of a peer's gen_server call
)

// mint makes a reference, and the id by which tables know it.
//
//	word 0  the id's low 18 bits: no release takes more there
//	word 1  the next 32
//	word 2  what it is for
func (n *Node) mint(kind uint32) (etf.Ref, uint64) {
	id := n.minted.Add(1)
	return n.ref(kind, id), id
}

func (n *Node) ref(kind uint32, id uint64) etf.Ref {
	return etf.Ref{Node: etf.Atom(n.self.Name), Creation: n.self.Creation, Len: 3,
		ID: [5]uint32{uint32(id & 0x3ffff), uint32(id >> 18), kind}}
}

func idOf(r etf.Ref) uint64 { return uint64(r.ID[0]) | uint64(r.ID[1])<<18 }

// ours says whether a reference is one that we minted for this.
func (n *Node) ours(r etf.Ref, kind uint32) bool { return r.ID[2] == kind && r == n.ref(kind, idOf(r)) }

// call is one of ours that waits: exactly one result is delivered to it.
type call struct {
	done  chan result  // room for one
	then  func(result) // in place of done, called by the reader
	child etf.Pid      // the process that runs it, once known; guarded by link.mu
}

type result struct {
	value etf.Term
	err   error
}

func (k *call) deliver(r result) {
	if k.then != nil {
		k.then(r)
		return
	}
	k.done <- r
}

// expect puts a call into the table.
func (l *link) expect(id uint64, k *call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return l.gone()
	}
	l.calls[id] = k
	return nil
}

// claim takes a call out of the table. Who gets it delivers to it, or gives it up.
func (l *link) claim(id uint64) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.calls[id]
	delete(l.calls, id)
	return k
}

// Call implements transport.Conn by a spawn request for erpc:execute_call/4 with a
// monitor, whose down message carries the result. One reference is the request's
// and the result's.
func (l *link) Call(ctx context.Context, module, function string, args ...transport.Term) (transport.Term, error) {
	v, err := l.call(ctx, module, function, args)
	if err != nil {
		return nil, fmt.Errorf("call %s:%s on %s: %w", module, function, l.with.Name, err)
	}
	return v, nil
}

func (l *link) call(ctx context.Context, module, function string, args []etf.Term) (etf.Term, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ref, id := l.node.mint(refCall)
	frame, err := l.request(ref, module, function, args)
	if err != nil {
		return nil, err
	}
	k := &call{done: make(chan result, 1)}
	if err := l.expect(id, k); err != nil {
		return nil, err
	}
	if err := l.put(ctx, frame); err != nil {
		l.claim(id)
		return nil, err
	}
	select {
	case r := <-k.done:
		return r.value, r.err
	case <-ctx.Done():
		if l.claim(id) == nil { // the result has just come
			r := <-k.done
			return r.value, r.err
		}
		if k.child != (etf.Pid{}) { // else started will find that nobody waits
			l.kill(k.child, ref)
		}
		return nil, ctx.Err()
	}
}

// request is the frame of a call:
//
//	{29, Ref, Caller, Leader, {erpc, execute_call, 4}, [monitor]}  [Ref, Module, Function, Args]
func (l *link) request(ref etf.Ref, module, function string, args []etf.Term) ([]byte, error) {
	leader := l.leader
	if user := l.user.Load(); user != nil {
		leader = *user
	}
	b, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{
		ID: ref, From: l.caller, Leader: leader, Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true,
	})
	if err != nil {
		return nil, err
	}
	b = etf.AppendRef(etf.AppendListHeader(b, 4), ref)
	for _, t := range [...]etf.Term{etf.Atom(module), etf.Atom(function), etf.List(args)} {
		if b, err = etf.Append(b, t); err != nil {
			return nil, err
		}
	}
	return etf.AppendNil(b), nil
}

// kill ends a call's process, and its monitor.
func (l *link) kill(child etf.Pid, ref etf.Ref) {
	exit := etf.AppendAtom(dist.AppendExit2(nil, l.caller, child), "kill")
	_ = l.push(dist.AppendDemonitor(nil, l.caller, child, ref), exit)
}

// started takes a spawn reply. It comes before the down message, so a call that is
// not there has been given up.
func (l *link) started(c dist.Control) {
	if !l.node.ours(c.Ref, refCall) {
		return
	}
	id := idOf(c.Ref)
	if c.Named {
		if k := l.claim(id); k != nil {
			k.deliver(result{err: &transport.SpawnError{Reason: string(c.Name)}})
		}
		return
	}
	l.mu.Lock()
	k := l.calls[id]
	if k != nil {
		k.child = c.From
	}
	l.mu.Unlock()
	if k == nil {
		l.kill(c.From, c.Ref)
	}
}

// ended takes the down message of a call's process, whose reason is its result.
func (l *link) ended(c dist.Control) {
	if k := l.claim(idOf(c.Ref)); k != nil {
		k.deliver(l.outcome(c.Payload, c.Ref))
	}
}

// outcome reads an exit reason:
//
//	{Ref, return, Value}                                  the value
//	{Ref, throw | exit, Reason}                           *RaisedError
//	{Ref, error, Reason, Stack}   {Ref, error, Reason}    *RaisedError
//	anything else                                         *SignalError: the process was killed
func (l *link) outcome(payload []byte, ref etf.Ref) result {
	d := l.decoder
	arity, rest, err := d.TupleHeader(payload)
	if err != nil || arity < 3 {
		return l.signal(payload)
	}
	got, rest, err := d.Ref(rest)
	if err != nil || got != ref {
		return l.signal(payload)
	}
	class, rest, err := d.Atom(rest)
	if err != nil {
		return l.signal(payload)
	}
	value, rest, err := d.Term(rest)
	if err != nil {
		return result{err: fmt.Errorf("result: %w", err)}
	}
	if class == "return" {
		return result{value: value}
	}
	raised := &transport.RaisedError{Class: string(class), Reason: value, Text: etf.Text(value)}
	if class == "error" {
		raised.Stack = etf.List{}
		if arity > 3 {
			if raised.Stack, _, err = d.Term(rest); err != nil {
				return result{err: fmt.Errorf("stack: %w", err)}
			}
		}
	}
	return result{err: raised}
}

// signal is the exit reason of a process that gave no result.
func (l *link) signal(payload []byte) result {
	reason, _, err := l.decoder.Term(payload)
	if err != nil {
		return result{err: fmt.Errorf("exit reason: %w", err)}
	}
	return result{err: &transport.SignalError{Reason: reason, Text: etf.Text(reason)}}
}

// askUser asks for the peer's user process, once. As the group leader of our calls
// it prints on the peer's console; with our own pid a function that prints blocks
// until we answer, and Elixir's Logger sends its records to us.
func (l *link) askUser() {
	ref, id := l.node.mint(refCall)
	frame, err := l.request(ref, "erlang", "whereis", []etf.Term{etf.Atom("user")})
	if err != nil {
		return // it cannot be: the terms are ours
	}
	k := &call{then: func(r result) {
		if pid, ok := r.value.(etf.Pid); ok {
			l.user.Store(&pid)
		}
	}}
	if l.expect(id, k) == nil {
		_ = l.push(frame)
	}
}
