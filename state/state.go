// Package state holds what the controller knows: what cluster.hcl asks for,
// what discovery last learned, which connections are live, how much waits.
//
// All of it sits in one go-memdb database, so a reader sees one moment of all
// of it. Nothing here does I/O or reads a clock. Discovery, transport and the
// outbox write; reconcile reads. A write that changes nothing moves no index and
// wakes nobody.
package state
