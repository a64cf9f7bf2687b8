package telemetry

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"ehc/state"
)

// Log is where the loggers made of it write, at a level and in a format that can
// change while they are used.
type Log struct {
	hclog.Logger
	text, json hclog.SinkAdapter
	out        atomic.Pointer[sink]
}

// sink is where lines go now.
type sink struct {
	hclog.SinkAdapter
	spec state.LogSpec
}

// NewLog returns a Log that writes to out as spec says.
func NewLog(out io.Writer, spec state.LogSpec) *Log {
	root := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: namespace, Level: hclog.Off, Output: io.Discard})
	l := &Log{Logger: root, text: newSink(out, false), json: newSink(out, true)}
	l.Set(spec)
	root.RegisterSink(l)
	return l
}

// newSink takes whatever comes: the Log has looked at the level.
func newSink(out io.Writer, json bool) hclog.SinkAdapter {
	return hclog.NewSinkAdapter(&hclog.LoggerOptions{Level: hclog.Trace, Output: out, JSONFormat: json})
}

// Set makes every line from now on one as spec says.
func (l *Log) Set(spec state.LogSpec) {
	to := l.text
	if spec.JSON {
		to = l.json
	}
	l.out.Store(&sink{SinkAdapter: to, spec: spec})
}

// Spec is what was last Set.
func (l *Log) Spec() state.LogSpec { return l.out.Load().spec }

// Accept is hclog's: it takes every line of every logger.
func (l *Log) Accept(name string, level hclog.Level, message string, args ...any) {
	to := l.out.Load()
	if level >= hclog.LevelFromString(to.spec.Level) {
		to.Accept(name, level, message, args...)
	}
}
