package ergonode

import (
	"context"
	"errors"
	"runtime/debug"

	"ehc/transport"
	"ehc/transport/etf"
)

// errFault is all that a peer hears of a panic.
var errFault = errors.New("a fault of the handler's, which is in the log")

// handle runs a handler for the peer. A panic is an error of this one call or cast: what
// one peer has sent must not end what the process does for all others.
func (l *link) handle(ctx context.Context, h transport.Handler, args []etf.Term) (value etf.Term, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.node.o.Log.Error("panic of a handler", "from", l.with.Name, "cause", cause, "stack", string(debug.Stack()))
			value, err = nil, errFault
		}
	}()
	return h(ctx, l.with.Name, args)
}
