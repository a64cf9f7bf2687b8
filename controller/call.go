package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/controller/termjson"
	"ehc/state"
	"ehc/state/spec"
	"ehc/transport"
	"ehc/transport/etf"
)

const (
	callsAtOnce = 1024
	maxCallTime = 10 * time.Minute
	maxArgs     = 255 // Erlang's own limit
)

// Call has a function of a peer run, if rpc.allow has it: through one connected
// node, once. Another node is not tried, for what became of the call may be
// unknown. Nothing is buffered.
func (c *Controller) Call(ctx context.Context, r api.CallRequest) (api.Called, error) {
	f, args, err := asked(r)
	if err != nil {
		return api.Called{}, err
	}
	limit := time.Duration(min(r.TimeoutMillis, maxCallTime.Milliseconds())) * time.Millisecond
	node, value, err := c.call(ctx, callee{app: r.App, node: state.Node(r.Node)}, f, limit, args...)
	if err != nil {
		return api.Called{}, callProblem(err)
	}
	return api.Called{Node: string(node), Value: termjson.Encode(value), Text: etf.Text(value)}, nil
}

// asked reads a request.
func asked(r api.CallRequest) (f state.Callable, args []etf.Term, err error) {
	bad := func(format string, args ...any) (state.Callable, []etf.Term, error) {
		return state.Callable{}, nil, api.NewProblem(http.StatusBadRequest, format, args...)
	}
	text := r.Function
	if !strings.Contains(text, "/") {
		text = fmt.Sprintf("%s/%d", text, len(r.Args))
	}
	f, why := spec.ParseCallable(text)
	switch {
	case why != "":
		return bad("function %q: %s; want MODULE.FUNCTION, such as Remote.Metrics.get_count", r.Function, why)
	case f.Arity != len(r.Args):
		return bad("function %q: %d arguments are given", r.Function, len(r.Args))
	case r.App != "" && r.Node != "":
		return bad("app %q and node %q: want one of them", r.App, r.Node)
	case r.TimeoutMillis < 0:
		return bad("timeout_millis %d: want 0 or more", r.TimeoutMillis)
	}
	for i, a := range r.Args {
		t, err := argument(a)
		if err != nil {
			return bad("argument %d: %v", i+1, err)
		}
		args = append(args, t)
	}
	return f, args, nil
}

// argument is a JSON value as bytes of a term, so that what cannot be sent is found
// before anything is.
func argument(text json.RawMessage) (etf.Term, error) {
	t, err := termjson.Decode(text)
	if err != nil {
		return nil, err
	}
	return encoded(t)
}

// call runs f on a node of where, for limit at most; 0 is what the file says. An
// error is a *callError, or a *api.Problem if where or f is no good.
func (c *Controller) call(ctx context.Context, where callee, f state.Callable, limit time.Duration, args ...etf.Term) (state.Node, etf.Term, error) {
	rpc := c.config.Spec().RPC
	if !rpc.Allows(f) {
		return "", nil, notAllowed(f)
	}
	node, conn, err := c.reach(where)
	if err != nil {
		return "", nil, err
	}
	select {
	case c.calls <- struct{}{}:
		defer func() { <-c.calls }()
	default:
		return "", nil, &callError{word: api.ReasonOverloaded, text: fmt.Sprintf("%d calls are under way: no more at a time", callsAtOnce)}
	}
	if limit <= 0 {
		limit = rpc.Timeout
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	value, err := conn.Call(within, f.Module, f.Name, args...)
	c.log.Debug("call", "function", f, "node", node, "took", time.Since(began), "error", err)
	if err != nil {
		return node, nil, called(ctx, node, f, limit, err)
	}
	return node, value, nil
}

// callee says where to call: on this node, or on one of this app, or of the only one.
type callee struct {
	app  string
	node state.Node
}

// reach finds a live connection. Of an app's nodes it is the first by name, which is
// where its events go as long as nothing fails there, so that a count has them.
func (c *Controller) reach(where callee) (state.Node, transport.Conn, error) {
	if where.node != "" {
		if conn := c.links.Get(where.node); conn != nil {
			return where.node, conn, nil
		}
		return "", nil, disconnected(string(where.node), c.store.Snapshot().Conn(where.node).Message)
	}
	app, err := c.calledApp(where.app)
	if err != nil {
		return "", nil, err
	}
	why := ""
	for _, n := range c.store.Snapshot().Conns() {
		if n.App != app {
			continue
		}
		if conn := c.links.Get(n.Node); conn != nil {
			return n.Node, conn, nil
		}
		if why == "" && n.Message != "" {
			why = fmt.Sprintf("%s: %s", n.Node, n.Message)
		}
	}
	return "", nil, disconnected(app, why)
}

// calledApp is the app of this name, or the only one.
func (c *Controller) calledApp(name string) (string, error) {
	var names []string
	for _, a := range c.config.Spec().Apps {
		if a.Name == name {
			return name, nil
		}
		names = append(names, a.Name)
	}
	switch {
	case name != "":
		return "", api.NewProblem(http.StatusUnprocessableEntity, "no app %q: cluster.hcl has %s", name, orNone(names))
	case len(names) == 1:
		return names[0], nil
	}
	return "", api.NewProblem(http.StatusBadRequest, "say which app: cluster.hcl has %s", orNone(names))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
