package telemetry

import (
	"context"
	"time"

	"ehc/transport"
)

// Watch returns c with its calls counted and traced; c itself if both m and t are
// nil.
func Watch(c transport.Conn, m *Meter, t *Tracer) transport.Conn {
	if m == nil && t == nil {
		return c
	}
	return &watched{Conn: c, meter: m, tracer: t}
}

// watched is a Conn whose calls are told of.
type watched struct {
	transport.Conn
	meter  *Meter
	tracer *Tracer
}

// Call is Conn's.
func (w *watched) Call(ctx context.Context, module, function string, args ...transport.Term) (transport.Term, error) {
	began := time.Now()
	ctx, end := w.tracer.call(ctx, w.Peer().Node, module, function)
	answer, err := w.Conn.Call(ctx, module, function, args...)
	w.meter.called(module, function, err, time.Since(began))
	end(rpcOutcome(err))
	return answer, err
}
