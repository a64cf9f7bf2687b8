package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ehc/transport"
	"ehc/transport/etf"
)

// conn is one link in memory.
type conn struct {
	d      *Dialer
	slot   *slot
	node   *Node
	peer   transport.Peer
	ctx    context.Context // ends with the link
	cancel context.CancelFunc

	once sync.Once
	down chan struct{} // closed once the Observer has heard
	sent sync.Mutex    // keeps messages in order
}

// Peer implements transport.Conn.
func (c *conn) Peer() transport.Peer { return c.peer }

// end takes the link down once and returns when it is down.
func (c *conn) end(why error) {
	c.once.Do(func() {
		c.cancel()
		c.slot.telling.Lock()
		defer c.slot.telling.Unlock()
		c.slot.mu.Lock()
		c.slot.conn = nil
		c.slot.mu.Unlock()
		c.d.observer.Down(c, why)
		close(c.down)
	})
	<-c.down
}

// Close implements transport.Conn.
func (c *conn) Close() error {
	if c.ctx.Err() != nil {
		<-c.down
		return fmt.Errorf("close %s: %w", c.peer.Node, transport.ErrDown)
	}
	c.end(transport.ErrClosed)
	return nil
}

// Call implements transport.Caller.
func (c *conn) Call(ctx context.Context, module, function string, args ...transport.Term) (transport.Term, error) {
	what := module + ":" + function
	v, err := c.run(ctx, what, c.function(module, function, len(args)), args)
	var raised *transport.RaisedError
	if err == nil || errors.As(err, &raised) || c.special(ctx, err) {
		return v, wrap("call "+what, c.peer.Node, err)
	}
	reason := etf.Tuple{etf.Atom("error"), err.Error()}
	return nil, wrap("call "+what, c.peer.Node, &transport.RaisedError{Class: "error", Reason: reason, Stack: etf.List{}, Text: etf.Text(reason)})
}

func (c *conn) function(module, function string, arity int) transport.Handler {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	if h := c.node.functions[transport.Function{Module: module, Name: function, Arity: arity}]; h != nil {
		return h
	}
	return undefined(module, function)
}

func undefined(module, function string) transport.Handler {
	return func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		stack := etf.List{etf.Tuple{etf.Atom(module), etf.Atom(function), etf.List(args), etf.List{}}}
		return nil, &transport.RaisedError{Class: "error", Reason: etf.Atom("undef"), Stack: stack, Text: "undef"}
	}
}

// CallServer implements transport.Caller.
func (c *conn) CallServer(ctx context.Context, name string, request transport.Term) (transport.Term, error) {
	c.node.mu.Lock()
	h := c.node.servers[name]
	c.node.mu.Unlock()
	if h == nil {
		h = func(context.Context, string, []transport.Term) (transport.Term, error) {
			return nil, &transport.SignalError{Reason: etf.Atom("noproc"), Text: "noproc"}
		}
	}
	v, err := c.run(ctx, name, h, []transport.Term{request})
	if err != nil && !c.special(ctx, err) {
		reason := etf.Tuple{etf.Atom("error"), err.Error()}
		err = &transport.SignalError{Reason: reason, Text: etf.Text(reason)}
	}
	return v, wrap("call "+name, c.peer.Node, err)
}

// special says that an error is one that callers of a Conn know already.
func (c *conn) special(ctx context.Context, err error) bool {
	var spawn *transport.SpawnError
	var signal *transport.SignalError
	return errors.As(err, &spawn) || errors.As(err, &signal) || errors.Is(err, transport.ErrDown) ||
		ctx.Err() != nil && errors.Is(err, ctx.Err())
}

func wrap(verb, node string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s on %s: %w", verb, node, err)
}

// run runs a handler on the node, until it returns, ctx ends or the link does.
func (c *conn) run(ctx context.Context, what string, h transport.Handler, args []transport.Term) (transport.Term, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	carried, err := carry(etf.List(args))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(c.ctx, cancel)
	defer stop()
	type result struct {
		value transport.Term
		err   error
	}
	done := make(chan result, 1)
	if c.ctx.Err() != nil {
		return nil, transport.ErrDown
	}
	c.node.count(what)
	started := c.d.net.start(func() {
		if err := c.node.thawed(ctx); err != nil {
			done <- result{err: err}
			return
		}
		v, err := h(ctx, c.d.self, carried.(etf.List))
		if err == nil {
			v, err = carry(v)
		}
		done <- result{v, err}
	})
	if !started {
		return nil, transport.ErrDown
	}
	select {
	case r := <-done:
		if c.ctx.Err() != nil {
			return nil, transport.ErrDown
		}
		return r.value, r.err
	case <-ctx.Done():
		if c.ctx.Err() != nil {
			return nil, transport.ErrDown
		}
		return nil, ctx.Err()
	}
}

func (p *Node) count(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[what]++
}

// carry takes a term over the wire.
func carry(t transport.Term) (transport.Term, error) {
	b, err := etf.Encode(t)
	if err != nil {
		return nil, err
	}
	return etf.Decode(b)
}
