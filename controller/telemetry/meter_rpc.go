package telemetry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ehc/transport"
)

// maxFunctions bounds the label function: people can call what the file allows,
// which may be many functions. What comes beyond counts as otherFunctions.
const (
	maxFunctions   = 64
	otherFunctions = "other"
)

type rpcMeter struct {
	calls  *prometheus.CounterVec
	took   *prometheus.HistogramVec
	served *prometheus.CounterVec
	names  *names
}

// names are the values that a label has had.
type names struct {
	mu    sync.Mutex
	known map[string]bool
}

// limit returns name, or otherFunctions if it would be one too many.
func (n *names) limit(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known[name] {
		if len(n.known) >= maxFunctions {
			return otherFunctions
		}
		n.known[name] = true
	}
	return name
}

func newRPCMeter(m *Meter) rpcMeter {
	r := rpcMeter{
		calls: m.counter("rpc_calls_total",
			"Calls of functions at peers, by how they ended: ok, raised, exited, refused, timeout, disconnected.", "function", "outcome"),
		took: m.histogram("rpc_call_duration_seconds", "Time that a call of a function at a peer took.", latencies(), "function"),
		served: m.counter("rpc_served_total",
			"Calls and casts of peers that ehc answered, by function: ok or raised.", "function", "outcome"),
		names: &names{known: map[string]bool{}},
	}
	r.know("erlang", "system_info") // asked of every new connection
	return r
}

// rpcOutcomes are how a call can end.
func rpcOutcomes() []string {
	return []string{"ok", "raised", "exited", "refused", "timeout", "disconnected"}
}

func (r rpcMeter) know(module, function string) {
	if function == "" {
		return
	}
	name := r.names.limit(functionName(module, function))
	for _, outcome := range rpcOutcomes() {
		begin(r.calls, name, outcome)
	}
	r.took.WithLabelValues(name)
}

// functionName is a function as people write it: Elixir's modules without their
// prefix.
func functionName(module, function string) string {
	return strings.TrimPrefix(module, "Elixir.") + "." + function
}

// rpcOutcome is the word for how a call ended.
func rpcOutcome(err error) string {
	var raised *transport.RaisedError
	var signal *transport.SignalError
	var spawn *transport.SpawnError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &raised):
		return "raised"
	case errors.As(err, &signal):
		return "exited"
	case errors.As(err, &spawn):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, transport.ErrTimeout):
		return "timeout"
	}
	return "disconnected"
}

func (m *Meter) called(module, function string, err error, took time.Duration) {
	if m == nil {
		return
	}
	name := m.rpc.names.limit(functionName(module, function))
	m.rpc.calls.WithLabelValues(name, rpcOutcome(err)).Inc()
	m.rpc.took.WithLabelValues(name).Observe(took.Seconds())
}

// Served has what peers call of ours counted.
func (m *Meter) Served(functions map[transport.Function]transport.Handler) map[transport.Function]transport.Handler {
	if m == nil {
		return functions
	}
	counted := make(map[transport.Function]transport.Handler, len(functions))
	for f, handle := range functions {
		name := functionName(f.Module, f.Name)
		ok, raised := m.rpc.served.WithLabelValues(name, "ok"), m.rpc.served.WithLabelValues(name, "raised")
		counted[f] = func(ctx context.Context, from string, args []transport.Term) (transport.Term, error) {
			answer, err := handle(ctx, from, args)
			if err != nil {
				raised.Inc()
			} else {
				ok.Inc()
			}
			return answer, err
		}
	}
	return counted
}
