package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"ehc/reconcile"
)

// Tracer writes spans. All its methods may be called at once; those of a nil Tracer
// write none. No span has a payload, an argument, an error's text or a cookie in
// it: only names, ids, numbers and reason words.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider
}

// TracerOptions say where spans go and who writes them.
type TracerOptions struct {
	// Endpoint is the base URL of an OTLP receiver, such as http://127.0.0.1:4318.
	// Empty: what OTEL_EXPORTER_OTLP_ENDPOINT says. The other OTEL_ variables of
	// the exporter, the sampler and the resource are honoured in either case.
	Endpoint string
	Version  string // of the build
	Instance string // what tells this controller from others: its node's name
	// Failed hears why spans could not be sent, and are lost, and of variables that
	// the exporter does not take; never of their values.
	Failed func(error)
}

// Traced says whether the environment asks for traces.
func Traced(lookup func(string) (string, bool)) bool {
	if off, _ := lookup("OTEL_SDK_DISABLED"); off == "true" {
		return false
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if at, ok := lookup(name); ok && at != "" {
			return true
		}
	}
	return false
}

// OpenTracer returns a Tracer that sends its spans by OTLP over HTTP, in the
// background and in batches. Nobody needs to listen yet. The caller closes it.
func OpenTracer(ctx context.Context, o TracerOptions) (*Tracer, error) {
	hear(o.Failed)
	var how []otlptracehttp.Option
	if o.Endpoint != "" {
		how = append(how, otlptracehttp.WithEndpointURL(o.Endpoint+"/v1/traces"))
	}
	to, err := otlptracehttp.New(ctx, how...)
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	return newTracer(ctx, o, sdk.WithBatcher(&heedful{SpanExporter: to, failed: o.Failed}))
}

func newTracer(ctx context.Context, o TracerOptions, to sdk.TracerProviderOption) (*Tracer, error) {
	// The environment comes last: what it says of the service counts.
	who, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", namespace),
			attribute.String("service.version", o.Version),
			attribute.String("service.instance.id", o.Instance),
		),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	p := sdk.NewTracerProvider(to, sdk.WithResource(who), sdk.WithIDGenerator(ids{}))
	return &Tracer{tracer: p.Tracer(namespace, trace.WithInstrumentationVersion(o.Version)), provider: p}, nil
}

// Close sends what is left, as long as ctx lets it.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("close traces: %w", err)
	}
	return nil
}

// heedful hands errors to whoever wants them: the library has only a global to
// tell them to.
type heedful struct {
	sdk.SpanExporter
	failed func(error)
}

// ExportSpans is the library's.
func (h *heedful) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := h.SpanExporter.ExportSpans(ctx, spans); err != nil && h.failed != nil {
		h.failed(fmt.Errorf("send %d spans: %w", len(spans), err))
	}
	return nil
}

// Pass begins the span of a pass that has something to do, which began at that
// time; the actions that it starts belong below the context returned. end ends it,
// with what could not be started.
func (t *Tracer) Pass(ctx context.Context, plan reconcile.Plan, began time.Time) (_ context.Context, end func(error)) {
	if t == nil || plan.Empty() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "pass", trace.WithTimestamp(began), trace.WithAttributes(
		attribute.Int("ehc.actions", len(plan.Actions)), attribute.Int("ehc.held", len(plan.Held))))
	return ctx, func(err error) {
		if failed := len(notStarted(err)); failed > 0 {
			span.SetAttributes(attribute.Int("ehc.not_started", failed))
			span.SetStatus(codes.Error, "not every action was started")
		}
		span.End()
	}
}

// Action begins the span of an action, by its kind's word. end ends it, with the
// reason word if it failed.
func (t *Tracer) Action(ctx context.Context, kind reconcile.Kind, node, app string) (_ context.Context, end func(reason string)) {
	if t == nil {
		return ctx, func(string) {}
	}
	ctx, span := t.tracer.Start(ctx, kind.String(), trace.WithAttributes(
		attribute.String("ehc.node", node), attribute.String("ehc.app", app)))
	return ctx, func(reason string) { finish(span, reason) }
}

// call is the span of a call at a peer.
func (t *Tracer) call(ctx context.Context, node, module, function string) (_ context.Context, end func(outcome string)) {
	if t == nil {
		return ctx, func(string) {}
	}
	name := functionName(module, function)
	ctx, span := t.tracer.Start(ctx, "call "+name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("rpc.system", "erlang"), attribute.String("rpc.method", name), attribute.String("ehc.node", node)))
	return ctx, func(outcome string) {
		if outcome == "ok" {
			outcome = ""
		}
		finish(span, outcome)
	}
}

func finish(span trace.Span, reason string) {
	if reason != "" {
		span.SetAttributes(attribute.String("ehc.reason", reason))
		span.SetStatus(codes.Error, reason)
	}
	span.End()
}
