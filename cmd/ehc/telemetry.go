package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/state/disk"
	"ehc/transport/ergonode"
)

// lastSpans bounds the sending of the last spans at the end.
const lastSpans = 3 * time.Second

// maxTelemetryConns bounds the connections of the telemetry listener: those of Prometheus
// and of health checks are few.
const maxTelemetryConns = 256

// openTracer is what the file, or else the environment, asks for; nil for no traces.
func (d daemon) openTracer(ctx context.Context, s state.Spec, log hclog.Logger) (*telemetry.Tracer, error) {
	if s.Telemetry.Traces == "" && !telemetry.Traced(d.env.Lookup) {
		return nil, nil //nolint:nilnil // a nil Tracer writes none
	}
	return telemetry.OpenTracer(ctx, telemetry.TracerOptions{
		Endpoint: s.Telemetry.Traces, Version: buildVersion().Version, Instance: string(s.Node.Name),
		Failed: func(err error) { log.Warn("traces", "error", err) },
	})
}

// closeTracer sends what is left. Spans are not worth an exit code.
func closeTracer(ctx context.Context, t *telemetry.Tracer, log hclog.Logger) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
	defer cancel()
	if err := t.Close(limit); err != nil {
		log.Warn("traces", "error", err)
	}
}

// tells is what answers /metrics, /healthz and /readyz.
//
//	/healthz   the loop gets on, and the store takes writes: else restart the process
//	/readyz    the store takes writes, every query has been looked up once, and peers
//	           can find the node and are let in
//
// Why one is not so is in the log.
func tells(m *telemetry.Meter, db *disk.DB, ctl *controller.Controller, node *ergonode.Node, log hclog.Logger) http.Handler {
	failed := func(check string, why error) { log.Warn("not well", "check", check, "error", why) }
	store := telemetry.Check{Name: "store", Do: db.Ping}
	return telemetry.Handler(m.Handler(),
		telemetry.Healthy(failed, telemetry.Check{Name: "loop", Do: ctl.Alive}, store),
		telemetry.Healthy(failed, store,
			telemetry.Check{Name: "lookups", Do: ctl.LookedUp},
			telemetry.Check{Name: "node", Do: func(context.Context) error { return node.Ready() }}))
}

// tellAt serves h at the address of the file until ctx ends; without one it returns
// at once.
func tellAt(ctx context.Context, at state.TelemetrySpec, h http.Handler) error {
	if !at.Listen.IsValid() {
		return nil
	}
	l, err := listenForTelemetry(ctx, at)
	if err != nil {
		return fmt.Errorf("serve telemetry: %w", err)
	}
	return api.Serve(ctx, l, h)
}

func listenForTelemetry(ctx context.Context, at state.TelemetrySpec) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", at.Listen.String())
	if err != nil {
		return nil, err
	}
	return api.Limited(l, maxTelemetryConns), nil
}
