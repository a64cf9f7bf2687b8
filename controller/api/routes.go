package api

import (
	"net/http"
	"slices"
)

// Backend is what the server serves; the controller is one. Its methods may be
// called at once. A *Problem that they return goes out as it is, the end of their
// context as a 503, any other error as a 500.
type Backend interface {
	StatusBackend
	PlanBackend
	SuspendBackend
	DoctorBackend
	LogBackend
	EventBackend
	OutboxBackend
	CountBackend
	CallBackend
	TopicBackend
	HistoryBackend
	WatchBackend
}

// Options are the parts of a server beside its Backend.
type Options struct {
	// Version is what /v1/version answers.
	Version Version
	// Machines answers /metrics, /healthz and /readyz; nil: nothing does.
	Machines http.Handler
	// Panicked is told of a handler that panicked, which the client sees as a
	// 500; nil: nobody is.
	Panicked func(route string, cause any, stack []byte)
}

// table is every route there is.
func table(b Backend, o Options) []route {
	return slices.Concat(
		statusRoutes(b, b),
		planRoutes(b, b),
		suspendRoutes(b),
		doctorRoutes(b),
		logRoutes(b),
		eventRoutes(b),
		outboxRoutes(b, b),
		countRoutes(b),
		callRoutes(b),
		topicRoutes(b),
		historyRoutes(b),
		aboutRoutes(o.Version),
		machineRoutes(o.Machines),
	)
}
