package api

import (
	"context"
	"encoding/json"
	"net/http"
)

// CallBackend has functions of peers run.
type CallBackend interface {
	Call(ctx context.Context, r CallRequest) (Called, error)
}

func callRoutes(b CallBackend) []route {
	return []route{newWrite("POST /v1/call", b.Call).waits()}
}

// CallRequest has a function run on a peer. The arguments are JSON: a string is a
// binary, an array a list, and atoms and tuples are written {"$atom": "ok"} and
// {"$tuple": [1, 2]}.
type CallRequest struct {
	// Function is MODULE.FUNCTION, with or without its arity: "Remote.Metrics.get_count"
	// in Elixir, "my_mod.add/2" in Erlang. rpc.allow of cluster.hcl has to have it.
	Function string            `json:"function"`
	Args     []json.RawMessage `json:"args,omitempty"`
	// App is an app of which one connected node runs it; Node is the node to run it,
	// and excludes App. With neither it is the only app that there is.
	App  string `json:"app,omitempty"`
	Node string `json:"node,omitempty"`
	// TimeoutMillis bounds the call, in milliseconds; 0 is rpc.timeout of cluster.hcl.
	TimeoutMillis int64 `json:"timeout_millis,omitempty"`
}

// Called is what a call returned.
type Called struct {
	Node  string          `json:"node"`  // that ran it
	Value json.RawMessage `json:"value"` // for programs: atoms are strings, tuples arrays
	Text  string          `json:"text"`  // the same in Erlang's syntax, which tells atoms and tuples; cut if it is long
}

// RemoteError is what went wrong in the function that was called.
type RemoteError struct {
	Node string `json:"node"` // that ran it
	// Class is "error", "exit" or "throw" for what the function raised; "killed" if its
	// process was; "not_started" if the peer did not run it; "answer" if the function
	// returned what it must not.
	Class  string          `json:"class"`
	Reason string          `json:"reason"`          // in Erlang's syntax
	Value  json.RawMessage `json:"value,omitempty"` // the reason as JSON
	Stack  []string        `json:"stack,omitempty"` // of class error: the frames, innermost first
}

// Error gives the class and the reason.
func (e *RemoteError) Error() string { return e.Class + " on " + e.Node + ": " + e.Reason }

// Call has a function run on a peer, once: it is not tried again. Errors that are
// the call's own are a *Problem with a Reason; see there for what is known then.
func (c *Client) Call(ctx context.Context, r CallRequest) (Called, error) {
	return ask[Called](ctx, c, http.MethodPost, "/v1/call", r)
}
