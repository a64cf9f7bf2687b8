package ergonode

import (
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// casts are those of one peer to one server. They do not go through ergo, which
// tells a server neither who cast nor keeps more than fit a mailbox. There is a
// goroutine as long as some wait.
type casts struct {
	waiting []cast
	dropped int // since none waited
}

// cast is a request, of so many bytes on the wire.
type cast struct {
	request etf.Term
	size    int
}

// castOf reads {'$gen_cast', Request}.
func castOf(t etf.Term) (request etf.Term, ok bool) {
	m, ok := t.(etf.Tuple)
	if !ok || len(m) != 2 || m[0] != etf.Term(genCastTag) {
		return nil, false
	}
	return m[1], true
}

// server is the one that a message is for, if it is for one.
func (n *Node) server(c dist.Control) *server {
	for _, s := range n.servers {
		if c.Op == dist.OpRegSend && s.name == c.Name || c.Op == dist.OpSend && s.self == c.To {
			return s
		}
	}
	return nil
}

// cast queues a request. It is the reader's.
func (s *server) cast(l *link, request etf.Term, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.casts[l]
	if q == nil {
		q = &casts{}
		s.casts[l] = q
		s.node.running.Go(func() { s.runCasts(l) }) // the reader counts among running
	}
	if len(q.waiting) < s.node.o.Limits.Casts && l.carry(size) {
		q.waiting = append(q.waiting, cast{request, size})
		return
	}
	if q.dropped++; q.dropped == 1 {
		s.node.o.Log.Warn("casts dropped: too many wait", "from", l.with.Name, "to", s.name)
	}
}

// runCasts runs requests until none waits or the link has ended.
func (s *server) runCasts(l *link) {
	for {
		next, ok := s.nextCast(l)
		if !ok {
			return
		}
		_, err := l.handle(l.ctx, s.taking, []etf.Term{next.request})
		l.putDown(next.size)
		if err != nil && l.ctx.Err() == nil {
			s.node.o.Log.Warn("cast", "from", l.with.Name, "to", s.name, "error", err)
		}
	}
}

// nextCast takes the oldest request, or takes the queue away.
func (s *server) nextCast(l *link) (cast, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.casts[l]
	if len(q.waiting) == 0 || l.ctx.Err() != nil {
		delete(s.casts, l)
		if q.dropped > 0 {
			s.node.o.Log.Warn("casts were dropped", "from", l.with.Name, "to", s.name, "count", q.dropped)
		}
		return cast{}, false
	}
	next := q.waiting[0]
	q.waiting[0] = cast{}
	q.waiting = q.waiting[1:]
	return next, true
}
