package telemetry

import (
	"fmt"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// complaints hears what the tracing library finds wrong by itself, which it otherwise
// writes to standard error in a form of its own. What it says of a variable stands
// beside its message: that is left out, since the value may be a token, such as in
// OTEL_EXPORTER_OTLP_HEADERS, or a URL with a password.
type complaints struct{ failed func(error) }

// hear has failed told of what the library complains of from now on. The library has
// only globals for that: the last one who hears is told.
func hear(failed func(error)) {
	if failed == nil {
		failed = func(error) {}
	}
	c := complaints{failed}
	otel.SetLogger(logr.New(c))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(failed))
}

// Error is the library's log: its message, and nothing of what is beside it.
func (c complaints) Error(_ error, message string, _ ...any) {
	c.failed(fmt.Errorf("a variable OTEL_… is not taken: %s", message))
}

// Init is logr's.
func (complaints) Init(logr.RuntimeInfo) {}

// Enabled is logr's: what is no error is not heard.
func (complaints) Enabled(int) bool { return false }

// Info is logr's, and never called.
func (complaints) Info(int, string, ...any) {}

// WithValues is logr's. Values are left out.
func (c complaints) WithValues(...any) logr.LogSink { return c }

// WithName is logr's.
func (c complaints) WithName(string) logr.LogSink { return c }
