package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"ehc/state/outbox"
)

// An event's life is one trace, whatever happens to the process meanwhile: the
// trace's id is made of the event's, and so is that of its first span.
//
//	enqueue app=A        the event is on disk
//	├─ deliver           a try, with the reason word if it failed; it links to the
//	│                    drain, which is in the trace of its pass
//	└─ deliver
//
// Whoever knows an event's id finds its trace: EventTrace.

// EventTrace is the id of the trace of an event's life, in hexadecimal.
func EventTrace(id string) string { return traceOf(id).String() }

func traceOf(id string) (t trace.TraceID) {
	sum := sha256.Sum256([]byte("ehc event\x00" + id))
	copy(t[:], sum[:])
	return t
}

// spanOf is the id of the span with which the event's life begins for an app.
func spanOf(id, app string) (s trace.SpanID) {
	sum := sha256.Sum256([]byte("ehc event\x00" + id + "\x00" + app))
	copy(s[:], sum[:])
	return s
}

// wanted is a context's key for the ids that the next span is to have.
type wanted struct{}

// born are those ids.
type born struct {
	trace trace.TraceID
	span  trace.SpanID
}

// ids makes ids of spans: those that the context wants, or random ones.
type ids struct{}

// NewIDs is the library's: the ids of a span that begins a trace.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if b, ok := ctx.Value(wanted{}).(born); ok {
		return b.trace, b.span
	}
	var t trace.TraceID
	_, _ = rand.Read(t[:]) // never fails
	return t, ids{}.NewSpanID(ctx, t)
}

// NewSpanID is the library's: the id of a span in a trace that there is.
func (ids) NewSpanID(context.Context, trace.TraceID) (s trace.SpanID) {
	_, _ = rand.Read(s[:])
	return s
}

// Enqueued writes the first span of each event, from began until now.
func (t *Tracer) Enqueued(ctx context.Context, events []outbox.Event, began time.Time) {
	if t == nil {
		return
	}
	here := trace.LinkFromContext(ctx)
	for _, e := range events {
		t.birth(e.ID, e.App, began, here).End()
	}
}

// birth starts the first span of an event, as the root of its trace.
func (t *Tracer) birth(id, app string, at time.Time, links ...trace.Link) trace.Span {
	ctx := context.WithValue(context.Background(), wanted{}, born{traceOf(id), spanOf(id, app)})
	_, span := t.tracer.Start(ctx, "enqueue", trace.WithSpanKind(trace.SpanKindProducer), trace.WithTimestamp(at),
		trace.WithLinks(valid(links)...), trace.WithAttributes(attribute.String("ehc.event.id", id), attribute.String("ehc.app", app)))
	return span
}

// Tried writes a span for each event of which a delivery through node was tried,
// from began until now; reason says why it failed, empty if it did not. ctx is the
// drain's.
func (t *Tracer) Tried(ctx context.Context, node string, events []outbox.Event, began time.Time, reason string) {
	if t == nil {
		return
	}
	drain := trace.LinkFromContext(ctx)
	for _, e := range events {
		_, span := t.tracer.Start(t.life(e), "deliver", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(began),
			trace.WithLinks(valid([]trace.Link{drain})...), trace.WithAttributes(
				attribute.String("ehc.event.id", e.ID), attribute.String("ehc.event.type", e.Type),
				attribute.String("ehc.app", e.App), attribute.String("ehc.node", node), attribute.Int("ehc.tries", e.Tries)))
		finish(span, reason)
	}
}

// life is a context below the first span of an event, which has long been sent,
// maybe by another process. Whether the trace is sampled follows from its id: the
// sampler is asked by beginning that span again, which is never ended and so never
// sent.
func (t *Tracer) life(e outbox.Event) context.Context {
	first := t.birth(e.ID, e.App, e.InsertedAt)
	return trace.ContextWithRemoteSpanContext(context.Background(), first.SpanContext().WithRemote(true))
}

// valid leaves out links to nothing.
func valid(links []trace.Link) []trace.Link {
	var some []trace.Link
	for _, l := range links {
		if l.SpanContext.IsValid() {
			some = append(some, l)
		}
	}
	return some
}
