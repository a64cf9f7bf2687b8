package ergonode

import (
	"context"
	"fmt"
	"sync"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// call is one of ours that waits: exactly one result is delivered to it. Once that
// is taken nobody else holds it.
type call struct {
	done  chan result  // room for one
	then  func(result) // in place of done, called by the reader
	child etf.Pid      // the process that runs it, once known; guarded by link.mu
}

type result struct {
	value etf.Term
	err   error
}

// recycled are calls whose results have been taken.
var recycled = sync.Pool{New: func() any { return &call{done: make(chan result, 1)} }}

// wait returns the result, and gives k up.
func (k *call) wait() (etf.Term, error) {
	r := <-k.done
	k.recycle()
	return r.value, r.err
}

func (k *call) recycle() {
	k.child = etf.Pid{}
	recycled.Put(k)
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
	k := recycled.Get().(*call)
	if err := l.expect(id, k); err != nil {
		return nil, err
	}
	if err := l.put(ctx, frame); err != nil {
		l.claim(id)
		return nil, err
	}
	select {
	case r := <-k.done:
		k.recycle()
		return r.value, r.err
	case <-ctx.Done():
		if l.claim(id) == nil { // the result has just come
			return k.wait()
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
	b, err := dist.AppendSpawnRequest(l.queue.buffer(), dist.SpawnRequest{
		ID: ref, From: l.caller, Leader: l.leaderOfCalls(), Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true,
	})
	if err != nil {
		return nil, err
	}
	b = etf.AppendRef(etf.AppendListHeader(b, 4), ref)
	return l.appendFunction(b, module, function, args)
}

// appendFunction ends a list of arguments with Module, Function and Args.
func (l *link) appendFunction(b []byte, module, function string, args []etf.Term) (_ []byte, err error) {
	for _, name := range [...]etf.Atom{etf.Atom(module), etf.Atom(function)} {
		if err := etf.CheckAtom(name); err != nil {
			return nil, err
		}
		b = etf.AppendAtom(b, name)
	}
	if len(args) > 0 {
		b = etf.AppendListHeader(b, len(args))
	}
	for _, arg := range args {
		if b, err = l.append(b, arg); err != nil {
			return nil, err
		}
	}
	return etf.AppendNil(etf.AppendNil(b)), nil
}

// leaderOfCalls is the group leader of what we run on the peer.
func (l *link) leaderOfCalls() etf.Pid {
	if user := l.user.Load(); user != nil {
		return *user
	}
	return l.leader
}

// kill ends a call's process, and its monitor.
func (l *link) kill(child etf.Pid, ref etf.Ref) {
	exit := etf.AppendAtom(dist.AppendExit2(nil, l.caller, child), "kill")
	l.push(dist.AppendDemonitor(nil, l.caller, child, ref), exit)
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
