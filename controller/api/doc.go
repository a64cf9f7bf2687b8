// Package api is the controller's HTTP interface: the JSON that goes over it, a
// server and a client. It listens on a unix socket, which only its owner may
// open. It decides nothing: what it serves is a Backend.
//
// What there is, openapi.yaml says; the server serves it at /v1/openapi.yaml, and
// tests hold the two together. An error is a Problem (RFC 9457), with its status.
//
// A Go program uses a Client. A write (IncrementVisit, UpdateLikes, AddComment, Send)
// is on the controller's disk when it returns without an error, and its Receipt says
// whether the app has it already. Its id is minted before the first attempt and is the
// same in every one, so that the next is safe where it is not known how one ended:
// attempts are repeated with growing pauses, for a few seconds at most, while nobody
// answers, the connection breaks or the controller is busy (503). A controller that hangs
// is ErrLate after twenty seconds, whatever deadline there is. After an error that is
// no *Problem the event may be on disk or not; WithID goes on with it. Reads
// (RealtimeCount, Call) are never answered from memory. Errors, for errors.Is: see the
// reasons of a Problem; for errors.As: *RemoteError and *Problem.
//
// A concern is one file, such as plan.go: its JSON types, the Backend that serves
// it, its routes, its client. To add a route:
//
//  1. Write it there. newRead answers a query and newWrite a JSON body, both with
//     JSON; newStream is for Server-Sent Events, with an SSE.
//  2. A new file's Backend goes into Backend and its routes into table, both in
//     routes.go.
//  3. Describe it in openapi.yaml. The tests name what is missing there, field by
//     field.
//  4. Ask for it once in the table of conformance_test.go, which holds requests
//     and answers against the schemas, and of a real controller in askAll of
//     package controller's api_test.go, which does the same.
package api
