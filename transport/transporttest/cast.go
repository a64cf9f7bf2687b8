package transporttest

import (
	"context"

	"ehc/transport"
	"ehc/transport/etf"
)

// Send implements transport.Caller.
func (c *conn) Send(ctx context.Context, name string, message transport.Term) error {
	return wrap("send to "+name, c.peer.Node, c.send(ctx, name, message))
}

// CastServer implements transport.Caller: what Receive has for the name gets
// {'$gen_cast', Request}, as a process would.
func (c *conn) CastServer(ctx context.Context, name string, request transport.Term) error {
	return wrap("cast to "+name, c.peer.Node, c.send(ctx, name, etf.Tuple{etf.Atom("$gen_cast"), request}))
}

func (c *conn) send(ctx context.Context, name string, message transport.Term) error {
	message, err := c.posted(ctx, message)
	if err != nil {
		return err
	}
	c.node.mu.Lock()
	f := c.node.inboxes[name]
	c.node.mu.Unlock()
	if f != nil {
		c.sent.Lock()
		defer c.sent.Unlock()
		f(c.d.self, message)
	}
	return nil
}

// Cast implements transport.Caller. The function's context ends with the link.
func (c *conn) Cast(ctx context.Context, module, function string, args ...transport.Term) error {
	what := module + ":" + function
	carried, err := c.posted(ctx, etf.List(args))
	if err != nil {
		return wrap("cast "+what, c.peer.Node, err)
	}
	c.node.count(what)
	handle := c.function(module, function, len(args))
	c.d.net.start(func() {
		if c.node.thawed(c.ctx) == nil {
			_, _ = handle(c.ctx, c.d.self, carried.(etf.List)) // nobody is told
		}
	})
	return nil
}

// posted takes a term over the wire, unless ctx or the link has ended.
func (c *conn) posted(ctx context.Context, t transport.Term) (transport.Term, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := carry(t)
	if err == nil && c.ctx.Err() != nil {
		err = transport.ErrDown
	}
	return t, err
}
