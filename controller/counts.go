package controller

import (
	"context"
	"net/http"
	"strings"

	"ehc/controller/api"
	"ehc/state/inbox"
)

// Counts answers from the inbox: the counter of a key such as "visits:/blog"; with
// a name alone, such as "visits", the counters of that name; and with neither all
// of them. Of these it lists up to limit, ordered by key.
func (c *Controller) Counts(ctx context.Context, key string, limit int) (api.Counts, error) {
	if c.inbox == nil {
		return api.Counts{}, api.NewProblem(http.StatusUnprocessableEntity,
			"this controller receives no events: give cluster.hcl a receive block, and restart it")
	}
	if name, of, ok := counterKey(key); ok {
		n, err := c.inbox.Count(ctx, name, of)
		return api.Counts{Counts: []api.Count{{Key: key, Count: n}}}, err
	}
	name, rest, _ := strings.Cut(key, ":")
	if name == "" && key != "" {
		return api.Counts{}, api.NewProblem(http.StatusBadRequest, "key %q: want NAME:KEY, such as visits:/blog, or NAME", ":"+rest)
	}
	found, more, err := c.inbox.Counts(ctx, name, limit)
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
