package controller

import (
	"context"
	"net/http"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/inbox"
	"ehc/transport/etf"
)

// Counts answers from one of two places:
//
//	an app is named                     that app
//	none is, and there is an inbox      the inbox: what other nodes have delivered here
//	none is, and one app gets events    that app: what this controller has delivered is there
//	none is, and there is only one app  that app
//	else                                an error that names the apps
//
// An app is asked for the one counter of the key, by the function that rpc.count of
// cluster.hcl names. Of the inbox it is the counter of a key such as "visits:/blog";
// with a name alone, such as "visits", the counters of that name; and with neither all
// of them: up to the limit, ordered by key.
func (c *Controller) Counts(ctx context.Context, q api.CountsQuery) (api.Counts, error) {
	if q.App == "" && c.inbox != nil {
		return c.ownCounts(ctx, q)
	}
	if q.Key == "" {
		return api.Counts{}, api.NewProblem(http.StatusBadRequest, "no key: an app is asked for one counter, such as visits:/blog")
	}
	node, n, err := c.realtimeCount(ctx, q.App, q.Key, 0)
	if err != nil {
		return api.Counts{}, callProblem(err)
	}
	return api.Counts{Counts: []api.Count{{Key: q.Key, Count: n}}, Node: string(node)}, nil
}

func (c *Controller) ownCounts(ctx context.Context, q api.CountsQuery) (api.Counts, error) {
	if name, of, ok := counterKey(q.Key); ok {
		n, err := c.inbox.Count(ctx, name, of)
		return api.Counts{Counts: []api.Count{{Key: q.Key, Count: n}}}, err
	}
	name, rest, _ := strings.Cut(q.Key, ":")
	if name == "" && q.Key != "" {
		return api.Counts{}, api.NewProblem(http.StatusBadRequest, "key %q: want NAME:KEY, such as visits:/blog, or NAME", ":"+rest)
	}
	found, more, err := c.inbox.Counts(ctx, name, q.Limit)
	if err != nil {
		return api.Counts{}, err
	}
	out := api.Counts{Counts: []api.Count{}, More: more}
	for _, row := range found {
		out.Counts = append(out.Counts, api.Count{Key: keyOf(row), Count: row.Value})
	}
	return out, nil
}

// keyOf is what counterKey splits.
func keyOf(c inbox.Counter) string { return c.Name + ":" + c.Key }

// realtimeCount asks an app for a counter, never anything that was buffered. Errors
// and the limit are those of call.
func (c *Controller) realtimeCount(ctx context.Context, app, key string, limit time.Duration) (state.Node, int64, error) {
	if app == "" {
		app = c.countingApp()
	}
	f := c.config.Spec().RPC.Count
	node, value, err := c.call(ctx, callee{app: app}, f, limit, key)
	if err != nil {
		return node, 0, err
	}
	n, ok := countIn(value)
	if !ok {
		return node, 0, wrongAnswer(node, f, value, "an integer of 64 bits, or {ok, integer}")
	}
	return node, n, nil
}

// countingApp is the one app that gets events; empty if that is not one.
func (c *Controller) countingApp() string {
	if apps := c.receivers(); len(apps) == 1 {
		return apps[0]
	}
	return ""
}

func countIn(value etf.Term) (int64, bool) {
	if t, ok := value.(etf.Tuple); ok && len(t) == 2 && t[0] == etf.Term(etf.Atom("ok")) {
		value = t[1]
	}
	n, ok := value.(int)
	return int64(n), ok
}
