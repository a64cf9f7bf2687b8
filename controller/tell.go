package controller

import (
	"context"
	"time"

	"ehc/controller/api"
	"ehc/controller/history"
)

const (
	// historyLimit is how many entries are kept, of at most a little over 1 KiB.
	historyLimit = 4096
	// historyAnswer is how many one answer has, if no limit is given.
	historyAnswer = 1000
)

// History tells what happened since the controller started.
func (c *Controller) History(ctx context.Context, q api.HistoryQuery) (api.History, error) {
	limit, cancel := context.WithTimeout(ctx, q.Wait)
	defer cancel()
	if q.Limit == 0 {
		q.Limit = historyAnswer
	}
	want := func(e history.Entry) bool {
		return (q.App == "" || e.App == q.App) && (q.Node == "" || e.Node == q.Node)
	}
	for {
		v := c.history.After(q.After, q.Limit, want)
		if len(v.Entries) > 0 || v.Missed {
			return historyJSON(v), nil
		}
		select {
		case <-v.Changed:
		case <-limit.Done():
			return historyJSON(v), nil
		}
	}
}

func historyJSON(v history.View) api.History {
	out := api.History{Entries: []api.HistoryEntry{}, Last: v.Last, Missed: v.Missed}
	for _, e := range v.Entries {
		out.Entries = append(out.Entries, api.HistoryEntry{
			ID: e.ID, At: e.At, FirstAt: e.FirstAt, Count: e.Count, Kind: string(e.Kind), Warning: e.Warning,
			App: e.App, Node: e.Node, Reason: e.Reason, Message: e.Message,
		})
	}
	return out
}

// tell adds to the history what no row of the store shows, and wakes who watches.
func (c *Controller) tell(e history.Entry) {
	e.At = time.Now()
	c.history.Add(e)
	c.beside.ring()
}
