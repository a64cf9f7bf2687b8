// Package telemetry is what the controller tells machines about itself: metrics
// for Prometheus, traces for OpenTelemetry, and whether it is well. It owns the
// names of the series and of the spans; the rest of the controller calls a method
// of a Meter or of a Tracer where something happens, and both do nothing when they
// are nil. What the store knows anyway is read when somebody asks.
//
// It refuses labels that grow while a cluster lives on: an app, a reason word, a
// function of the file and a route are labels, a node is none, for every deploy
// brings new names. It keeps nothing global, and nothing that it tells has a
// cookie or a payload in it.
package telemetry
