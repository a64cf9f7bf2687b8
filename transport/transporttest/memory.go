package transporttest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"ehc/transport"
	"ehc/transport/etf"
)

// Memory is the Rig of a Network: Suite run with it shows that the nodes in memory
// behave as real ones do.
func Memory(t *testing.T) Rig {
	cookie := transport.NewCookie("memory")
	n := NewNetwork()
	t.Cleanup(n.Close)
	peers := 0
	return Rig{
		Cookie: cookie,
		Dialer: func(_ *testing.T, o transport.Observer) transport.Dialer {
			return n.Dialer("ehc@memory", o, cookie)
		},
		Peer: func(*testing.T) Peer {
			peers++
			p := n.Add(fmt.Sprintf("peer%d@memory", peers))
			p.RequireCookie(cookie)
			suiteFunctions(p)
			return Peer{
				Target:  transport.Target{Node: p.Name()},
				Kill:    p.Kill,
				Restart: func() { p.Restart(); suiteFunctions(p) },
			}
		},
	}
}

// suiteFunctions makes a node answer as ehc_suite.erl does.
func suiteFunctions(p *Node) {
	s := &suiteState{node: p, asleep: map[etf.Atom]bool{}}
	for name, h := range map[string]transport.Handler{
		"echo":    func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) { return args[0], nil },
		"die":     s.die,
		"sleep":   s.sleep,
		"alive":   s.alive,
		"serve":   s.serve,
		"forward": s.forward, "received": s.received,
	} {
		p.Handle(transport.Function{Module: "ehc_suite", Name: name, Arity: 1}, h)
	}
	p.Handle(transport.Function{Module: "ehc_suite", Name: "raise", Arity: 2}, raise)
}

type suiteState struct {
	node *Node

	mu       sync.Mutex
	asleep   map[etf.Atom]bool
	messages etf.List
}

func raise(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
	return nil, &transport.RaisedError{
		Class: string(args[0].(etf.Atom)), Reason: args[1], Stack: etf.List{}, Text: etf.Text(args[1]),
	}
}

func (s *suiteState) die(context.Context, string, []transport.Term) (transport.Term, error) {
	return nil, &transport.SignalError{Reason: etf.Atom("killed"), Text: "killed"}
}

func (s *suiteState) sleep(ctx context.Context, _ string, args []transport.Term) (transport.Term, error) {
	s.set(args[0].(etf.Atom), true)
	defer s.set(args[0].(etf.Atom), false)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *suiteState) set(name etf.Atom, asleep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asleep[name] = asleep
}

func (s *suiteState) alive(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asleep[args[0].(etf.Atom)], nil
}

func (s *suiteState) serve(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
	name := string(args[0].(etf.Atom))
	s.node.HandleServer(name, func(ctx context.Context, _ string, args []transport.Term) (transport.Term, error) {
		request, ok := args[0].(etf.Tuple)
		switch {
		case !ok && args[0] == etf.Term(etf.Atom("hang")):
			<-ctx.Done()
			return nil, ctx.Err()
		case !ok:
			return etf.Atom("ok"), nil
		case request[0] == etf.Term(etf.Atom("stop")):
			s.node.HandleServer(name, nil)
			return nil, &transport.SignalError{Reason: request[1], Text: etf.Text(request[1])}
		}
		return request[1], nil
	})
	return etf.Atom("ok"), nil
}

func (s *suiteState) forward(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
	s.node.Receive(string(args[0].(etf.Atom)), func(_ string, m transport.Term) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.messages = append(s.messages, m)
	})
	return etf.Atom("ok"), nil
}

func (s *suiteState) received(context.Context, string, []transport.Term) (transport.Term, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(etf.List{}, s.messages...), nil
}
