package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"ehc/reconcile"
	"ehc/state/outbox"
	"ehc/transport"
)

// inMemory is a Tracer whose spans stay here.
func inMemory(t *testing.T) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	to := tracetest.NewInMemoryExporter()
	tr, err := newTracer(t.Context(), TracerOptions{Version: "v1", Instance: "ehc@h"}, sdk.WithSyncer(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close(context.Background()) })
	return tr, to
}

// caller is a connection of which only calls are of interest.
type caller struct {
	transport.Conn
	err error
}

func (caller) Peer() transport.Peer { return transport.Peer{Node: "a@h"} }
func (c caller) Call(context.Context, string, string, ...transport.Term) (transport.Term, error) {
	return 1, c.err
}

func TestACallBelongsToItsActionAndThatToItsPass(t *testing.T) {
	tr, to := inMemory(t)
	plan := reconcile.Plan{Actions: []reconcile.Action{{Kind: reconcile.Drain, Node: "a@h", App: "search"}}}
	ctx, endPass := tr.Pass(t.Context(), plan, time.Now())
	ctx, endAction := tr.Action(ctx, reconcile.Drain, "a@h", "search")
	secret := &transport.RaisedError{Class: "error", Text: "the payload of somebody"}
	_, err := Watch(caller{err: secret}, nil, tr).Call(ctx, "Elixir.Remote", "handle", "a payload")
	if !errors.Is(err, secret) {
		t.Errorf("the call gives %v", err)
	}
	endAction("HandlerRaised")
	endPass(nil)

	spans := to.GetSpans()
	byName := map[string]tracetest.SpanStub{}
	for _, s := range spans {
		byName[s.Name] = s
	}
	call, action, pass := byName["call Remote.handle"], byName["drain"], byName["pass"]
	if len(spans) != 3 || call.Parent.SpanID() != action.SpanContext.SpanID() || action.Parent.SpanID() != pass.SpanContext.SpanID() {
		t.Fatalf("spans: %+v", spans)
	}
	if call.Status.Description != "raised" || action.Status.Description != "HandlerRaised" {
		t.Errorf("statuses %+v and %+v", call.Status, action.Status)
	}
	if text := fmt.Sprintf("%+v", spans); strings.Contains(text, "payload") {
		t.Errorf("a span has a payload in it: %s", text)
	}
	to.Reset()
	_, end := tr.Pass(t.Context(), reconcile.Plan{}, time.Now())
	end(nil)
	if len(to.GetSpans()) != 0 {
		t.Error("a pass with nothing to do has a span")
	}
}

func TestTheLifeOfAnEventIsOneTrace(t *testing.T) {
	first, at := inMemory(t)
	e := outbox.Event{ID: "01JEVENT", App: "search", Type: "increment_visit", Payload: []byte(`{"page_id":"/secret"}`), InsertedAt: time.Now()}
	first.Enqueued(t.Context(), []outbox.Event{e}, time.Now())
	enqueued := at.GetSpans()

	second, to := inMemory(t) // another process, after a restart
	ctx, end := second.Action(t.Context(), reconcile.Drain, "a@h", "search")
	second.Tried(ctx, "a@h", []outbox.Event{e}, time.Now(), "HandlerRefused")
	e.Tries = 1
	second.Tried(ctx, "a@h", []outbox.Event{e}, time.Now(), "")
	end("")
	spans := to.GetSpans()
	if len(enqueued) != 1 || len(spans) != 3 {
		t.Fatalf("%d and %d spans", len(enqueued), len(spans))
	}
	life := enqueued[0].SpanContext
	if life.TraceID().String() != EventTrace("01JEVENT") {
		t.Errorf("trace %s", life.TraceID())
	}
	drain := spans[2].SpanContext
	for _, s := range spans[:2] {
		if s.Name != "deliver" || s.SpanContext.TraceID() != life.TraceID() || s.Parent.SpanID() != life.SpanID() {
			t.Errorf("a delivery is not below the enqueue: %+v", s)
		}
		if len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != drain.SpanID() {
			t.Errorf("a delivery does not link to its drain: %+v", s.Links)
		}
	}
	if spans[0].Status.Description != "HandlerRefused" || spans[1].Status.Description != "" {
		t.Errorf("statuses %+v and %+v", spans[0].Status, spans[1].Status)
	}
	if text := fmt.Sprintf("%+v%+v", enqueued, spans); strings.Contains(text, "secret") {
		t.Error("a span has a payload in it")
	}
	other := e
	other.App = "billing"
	first.Enqueued(t.Context(), []outbox.Event{other}, time.Now())
	if again := at.GetSpans()[1].SpanContext; again.TraceID() != life.TraceID() || again.SpanID() == life.SpanID() {
		t.Error("the event of another app is not another span of the same trace")
	}
}

func TestTheSamplerDecidesOnAWholeLife(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
	tr, to := inMemory(t)
	lives := 0
	for i := range 100 {
		e := outbox.Event{ID: fmt.Sprint("event-", i), App: "a", InsertedAt: time.Now()}
		to.Reset()
		tr.Enqueued(t.Context(), []outbox.Event{e}, time.Now())
		tr.Tried(t.Context(), "a@h", []outbox.Event{e}, time.Now(), "")
		switch n := len(to.GetSpans()); n {
		case 0:
		case 2:
			lives++
		default:
			t.Errorf("event %d has %d spans", i, n)
		}
	}
	if lives < 20 || lives > 80 {
		t.Errorf("%d of 100 lives were sampled", lives)
	}
}

func TestSpansReachAReceiverOverHTTP(t *testing.T) {
	got := make(chan *otlp.ExportTraceServiceRequest, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		q := &otlp.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(b, q)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		got <- q
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer receiver.Close()
	for name, setup := range map[string]func(*TracerOptions){
		"by the environment": func(*TracerOptions) { t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL) },
		"by the file":        func(o *TracerOptions) { o.Endpoint = receiver.URL },
	} {
		t.Run(name, func(t *testing.T) {
			o := TracerOptions{Version: "v1", Instance: "ehc@h", Failed: func(err error) { t.Error(err) }}
			setup(&o)
			tr, err := OpenTracer(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			_, end := tr.Action(t.Context(), reconcile.Connect, "a@h", "search")
			end("CookieRejected")
			if err := tr.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			spans := (<-got).ResourceSpans[0]
			if s := spans.ScopeSpans[0].Spans[0]; s.Name != "connect" || s.Status.Message != "CookieRejected" {
				t.Errorf("got %v", s)
			}
			if who := spans.Resource.String(); !strings.Contains(who, `"ehc@h"`) || !strings.Contains(who, `"service.name"`) {
				t.Errorf("by %s", who)
			}
		})
	}
}

func TestSpansThatCannotBeSentAreToldOf(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer receiver.Close()
	failed := make(chan error, 1)
	tr, err := OpenTracer(t.Context(), TracerOptions{Endpoint: receiver.URL, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	_, end := tr.Action(t.Context(), reconcile.Connect, "a@h", "search")
	end("")
	_ = tr.Close(t.Context())
	if err := <-failed; !strings.HasPrefix(err.Error(), "send 1 spans: ") {
		t.Error(err)
	}
}

// The library would write the whole of a header, or of a URL, to standard error.
func TestAVariableThatIsNotTakenIsToldOfWithoutItsValue(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_HEADERS":         "authorization=%zz-a-secret",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":  "a-secret",
		"OTEL_EXPORTER_OTLP_ENDPOINT":        "http://user:a-secret@127.0.0.1:1/%zz",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://user:a-secret@127.0.0.1:1/%zz",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			var told []string
			tr, err := OpenTracer(t.Context(), TracerOptions{Failed: func(err error) { told = append(told, err.Error()) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(told, "\n")
			if len(told) != 1 || !strings.HasPrefix(text, "a variable OTEL_… is not taken: ") || strings.Contains(text, "secret") {
				t.Errorf("told %d times:\n%s", len(told), text)
			}
		})
	}
}

func TestOnlyTheEnvironmentTurnsTracesOn(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "true"}, false},
	} {
		if got := Traced(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
}

func TestANilTracerWritesNothing(t *testing.T) {
	var tr *Tracer
	ctx, end := tr.Pass(t.Context(), reconcile.Plan{Actions: []reconcile.Action{{}}}, time.Now())
	end(nil)
	ctx, finish := tr.Action(ctx, reconcile.Drain, "a@h", "a")
	finish("x")
	tr.Enqueued(ctx, []outbox.Event{{}}, time.Now())
	tr.Tried(ctx, "a@h", []outbox.Event{{}}, time.Now(), "")
	if ctx != t.Context() || tr.Close(ctx) != nil {
		t.Error("it did something")
	}
}
