package ergonode

import (
	"context"
	"fmt"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
)

// Send implements transport.Caller.
func (l *link) Send(ctx context.Context, name string, message transport.Term) error {
	frame, err := l.toName(name)
	if err == nil {
		frame, err = l.append(frame, message)
	}
	if err = l.post(ctx, frame, err); err != nil {
		return fmt.Errorf("send to %s on %s: %w", name, l.with.Name, err)
	}
	return nil
}

// CastServer implements transport.Caller: it sends {'$gen_cast', Request}.
func (l *link) CastServer(ctx context.Context, name string, request transport.Term) error {
	frame, err := l.toName(name)
	if err == nil {
		frame, err = l.append(etf.AppendAtom(etf.AppendTupleHeader(frame, 2), genCastTag), request)
	}
	if err = l.post(ctx, frame, err); err != nil {
		return fmt.Errorf("cast to %s on %s: %w", name, l.with.Name, err)
	}
	return nil
}

// Cast implements transport.Caller by a spawn request for erpc:execute_cast/3:
//
//	{29, Ref, Caller, Leader, {erpc, execute_cast, 3}, []}  [Module, Function, Args]
//
// The peer's spawn reply is dropped: its reference is of a kind that waits for none.
func (l *link) Cast(ctx context.Context, module, function string, args ...transport.Term) error {
	ref, _ := l.node.mint(refCast)
	frame, err := dist.AppendSpawnRequest(nil, dist.SpawnRequest{
		ID: ref, From: l.caller, Leader: l.leaderOfCalls(), Module: "erpc", Function: "execute_cast", Arity: 3,
	})
	if err == nil {
		frame, err = l.appendFunction(etf.AppendListHeader(frame, 3), module, function, args)
	}
	if err = l.post(ctx, frame, err); err != nil {
		return fmt.Errorf("cast %s:%s on %s: %w", module, function, l.with.Name, err)
	}
	return nil
}

// toName begins the frame of a message to a registered name.
func (l *link) toName(name string) ([]byte, error) {
	return dist.AppendRegSend(nil, l.caller, etf.Atom(name))
}

// post queues a frame that asks for no answer, unless making it gave an error.
func (l *link) post(ctx context.Context, frame []byte, err error) error {
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.put(ctx, frame)
}
