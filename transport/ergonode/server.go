package ergonode

import (
	"fmt"
	"sync"

	eetf "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"

	"ehc/transport"
	"ehc/transport/etf"
)

// mailboxSize is how many calls may wait for a server to look at them. It looks at
// once, so this is the length of a burst.
const mailboxSize = 4096

// server is a registered process of ergo's that answers gen_server calls. It hands
// each call to a goroutine and takes the next.
type server struct {
	gen.Server
	node   *Node
	name   etf.Atom
	handle transport.Handler
	taking transport.Handler // the casts
	self   etf.Pid
	ended  chan struct{}

	mu    sync.Mutex
	casts map[*link]*casts // those of peers that wait or run
}

// serve starts the servers.
func (n *Node) serve() error {
	for name, handle := range n.o.Servers {
		s := &server{node: n, name: etf.Atom(name), handle: handle, taking: n.o.Casts[name], ended: make(chan struct{}), casts: map[*link]*casts{}}
		if s.taking == nil {
			s.taking = handle
		}
		p, err := n.seat.node.Spawn(name, gen.ProcessOptions{MailboxSize: mailboxSize}, s)
		if err != nil {
			return fmt.Errorf("server %s: %w", name, err)
		}
		s.self = fromErgoPid(p.Self())
		n.servers = append(n.servers, s)
	}
	return nil
}

// HandleCall starts the handler. message has ehc's types.
func (s *server) HandleCall(_ *gen.ServerProcess, from gen.ServerFrom, message eetf.Term) (eetf.Term, gen.ServerStatus) {
	id := idOf(fromErgoRef(from.Ref))
	if l := s.node.linked(string(from.Pid.Node)); l != nil {
		s.node.goDo(func() { l.handleCall(s.handle, id, message) })
	}
	return nil, gen.ServerStatusIgnore
}

// handleCall answers a call, if its caller still waits.
func (l *link) handleCall(handle transport.Handler, id uint64, request etf.Term) {
	value, err := l.handle(l.ctx, handle, []etf.Term{request})
	if err == nil {
		_ = l.answer(id, value) // who asked is told, or gone
		return
	}
	if call := l.take(id); call != nil {
		l.exit(call, handlerError(err))
	}
}

// HandleCast drops a cast: those of peers do not come here, see casts.
func (s *server) HandleCast(*gen.ServerProcess, eetf.Term) gen.ServerStatus {
	return gen.ServerStatusOK
}

// HandleInfo drops a message: those of peers do not come here either.
func (s *server) HandleInfo(*gen.ServerProcess, eetf.Term) gen.ServerStatus {
	return gen.ServerStatusOK
}

// Terminate tells everybody who watches the server; ergo does not.
func (s *server) Terminate(p *gen.ServerProcess, reason string) {
	defer close(s.ended)
	for _, l := range s.node.links() {
		l.serverEnded(s.name, fromErgoPid(p.Self()), etf.Atom(reason))
	}
}
