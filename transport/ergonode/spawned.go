package ergonode

import (
	"context"
	"errors"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// spawned is a function of ours that the peer has called by erpc. It has a pid that
// nothing else stands behind. All but pid and request is guarded by link.mu.
type spawned struct {
	pid       etf.Pid
	request   etf.Ref
	by        etf.Pid
	monitored bool // the end is to be told
	noted     bool // others watch it, or are linked to it
	dead      bool // its end has been told, or is about to be: its function may still run, and counts
	cancel    context.CancelFunc
}

// executed is what erpc asks for: it spawns erpc:execute_call/4 or execute_cast/3,
// the only functions that may be spawned here.
type executed struct {
	result    etf.Term // stands before the result; nil for a cast
	function  transport.Function
	args      []etf.Term
	undefined etf.Term // the stack of an undef
}

// spawn answers a spawn request. The reply goes before the end of what was
// spawned, or the peer would close the connection.
//
// The reply to a reference that is not the peer's own would close it as well, so
// there is none.
func (l *link) spawn(c dist.Control) {
	if string(c.Ref.Node) != l.with.Name || c.Ref.Creation != l.with.Creation {
		return
	}
	e, refusal := l.execution(c)
	if refusal == "" {
		refusal = l.start(c, e)
	}
	if refusal == "" {
		return
	}
	if b, err := dist.AppendSpawnFailure(nil, c.Ref, c.From, refusal); err == nil {
		l.push(b)
	}
}

// execution reads a request, or says why it is refused.
func (l *link) execution(c dist.Control) (executed, etf.Atom) {
	call := c.Spawn.Function == "execute_call" && c.Spawn.Arity == 4
	cast := c.Spawn.Function == "execute_cast" && c.Spawn.Arity == 3
	switch {
	case len(l.node.o.Functions) == 0, c.Spawn.Module != "erpc", !call && !cast:
		return executed{}, "notsup"
	case c.Spawn.Link, c.Spawn.Other:
		return executed{}, "badopt"
	}
	t, _, err := l.decoder.Term(c.Payload)
	list, ok := t.(etf.List)
	if err != nil || !ok || len(list) != c.Spawn.Arity {
		return executed{}, "badarg"
	}
	var result etf.Term
	if call {
		result, list = list[0], list[1:]
	}
	e, ok := functionOf(list)
	if !ok {
		return executed{}, "badarg"
	}
	e.result = result
	return e, ""
}

// functionOf reads Module, Function, Args.
func functionOf(ts []etf.Term) (executed, bool) {
	module, ok1 := ts[0].(etf.Atom)
	function, ok2 := ts[1].(etf.Atom)
	args, ok3 := ts[2].(etf.List)
	return executed{
		function:  transport.Function{Module: string(module), Name: string(function), Arity: len(args)},
		args:      args,
		undefined: etf.List{etf.Tuple{module, function, args, etf.List{}}},
	}, ok1 && ok2 && ok3
}

// start runs what was asked for.
func (l *link) start(c dist.Control, e executed) (refusal etf.Atom) {
	size := len(c.Payload)
	pid := l.node.pid(l.node.pids.Add(1))
	pid.Serial = spawnSerial
	ctx, cancel := context.WithCancel(l.ctx)
	s := &spawned{pid: pid, request: c.Ref, by: c.From, monitored: c.Spawn.Monitor, cancel: cancel}
	l.mu.Lock()
	full := l.over || l.busy()
	if !full {
		l.spawned[pid.ID] = s
		l.load += size
	}
	l.mu.Unlock()
	if full {
		cancel()
		return "system_limit"
	}
	l.push(dist.AppendSpawnReply(nil, c.Ref, c.From, pid, c.Spawn.Monitor))
	l.node.running.Go(func() { // the reader, which calls this, counts among running
		defer cancel()
		reason := l.execute(ctx, e)
		l.putDown(size)
		l.finish(s, reason)
	})
	return ""
}

// execute runs a function and returns the exit reason that tells its result.
func (l *link) execute(ctx context.Context, e executed) etf.Tuple {
	handler := l.node.o.Functions[e.function]
	if handler == nil {
		return etf.Tuple{e.result, etf.Atom("error"), etf.Atom("undef"), e.undefined}
	}
	value, err := l.handle(ctx, handler, e.args)
	if err == nil {
		if _, err = l.append(nil, value); err == nil {
			return etf.Tuple{e.result, etf.Atom("return"), value}
		}
	}
	return raised(e.result, err)
}

// raised is the exit reason for a handler's error.
func raised(result etf.Term, err error) etf.Tuple {
	var r *transport.RaisedError
	switch {
	case !errors.As(err, &r):
		return etf.Tuple{result, etf.Atom("error"), handlerError(err), etf.List{}}
	case r.Class == "error":
		return etf.Tuple{result, etf.Atom("error"), r.Reason, etf.List{}}
	}
	return etf.Tuple{result, etf.Atom(r.Class), r.Reason}
}

// finish ends the process that ran a function, unless it was killed before.
func (l *link) finish(s *spawned, reason etf.Term) {
	told, noted := l.bury(s)
	l.mu.Lock()
	delete(l.spawned, s.pid.ID)
	l.mu.Unlock()
	if noted {
		defer l.parted(s.pid, etf.Atom("normal"))
	}
	if !told {
		return
	}
	b, err := l.append(dist.AppendDown(nil, s.pid, s.by, s.request), reason)
	if err == nil {
		err = l.put(l.ctx, b)
	}
	if err != nil && l.ctx.Err() == nil { // too long, or a reason that a handler made up
		l.sendDown(watch{by: s.by, pid: s.pid}, s.request, handlerError(err))
	}
}

// bury ends a process. It says whether its end is to be told to who called, and whether
// to others: to look for them costs a look at all monitors.
func (l *link) bury(s *spawned) (told, noted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	here := !l.over && !s.dead
	s.dead = true
	return here && s.monitored, here && s.noted
}

// running returns the process that runs a function under a pid, while it lives; the
// lock is held.
func (l *link) running(p etf.Pid) *spawned {
	if s := l.spawned[p.ID]; s != nil && s.pid == p && !s.dead {
		return s
	}
	return nil
}

// note says that a process is watched or linked to, if it is one that runs a function;
// the lock is held.
func (l *link) note(p etf.Pid) {
	if s := l.running(p); s != nil {
		s.noted = true
	}
}

// killed takes an exit signal to a process of ours. Those that run functions trap no
// exits: they die of any, but for the end of a process that ended normally.
func (l *link) killed(c dist.Control) {
	if c.To.Serial != spawnSerial {
		return
	}
	if reason, _, err := l.decoder.Term(c.Payload); err != nil || reason == etf.Term(etf.Atom("normal")) {
		return
	}
	l.mu.Lock()
	s := l.running(c.To)
	l.mu.Unlock()
	if s == nil {
		return
	}
	told, noted := l.bury(s)
	if told {
		l.sendDown(watch{by: s.by, pid: s.pid}, s.request, etf.Atom("killed"))
	}
	if noted {
		l.parted(s.pid, etf.Atom("killed"))
	}
	s.cancel()
}
