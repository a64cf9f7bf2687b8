package controller

import (
	"context"
	"slices"
	"sync"

	"ehc/controller/topics"
	"ehc/state/inbox"
	"ehc/transport/etf"
)

// maxCountNews bounds the counters whose change is still to be told.
const maxCountNews = 4096

// countNews are the counters of the inbox that have changed and whose new value is
// still to be broadcast: of each only the last, for that is what a page shows.
type countNews struct {
	ready chan struct{} // room for one

	mu    sync.Mutex
	order []string // keys, as they first changed
	last  map[string]inbox.Counter
}

func newCountNews() *countNews {
	return &countNews{ready: make(chan struct{}, 1), last: map[string]inbox.Counter{}}
}

// add takes changes. Those of more counters than there is room for are not told.
func (n *countNews) add(changed []inbox.Counter) {
	if len(changed) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range changed {
		key := keyOf(c)
		if _, known := n.last[key]; !known {
			if len(n.order) == maxCountNews {
				continue
			}
			n.order = append(n.order, key)
		}
		n.last[key] = c
	}
	select {
	case n.ready <- struct{}{}:
	default:
	}
}

// take returns what is to be told.
func (n *countNews) take() []inbox.Counter {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]inbox.Counter, len(n.order))
	for i, key := range n.order {
		out[i] = n.last[key]
	}
	n.order = nil
	clear(n.last)
	return out
}

// tellCounts broadcasts the counters that change, until ctx ends, to every PubSub
// server of the file that keeps the topic: of the counter visits:/blog
//
//	"metrics:visits:/blog" and "metrics:visits"
//
//	{:metric_updated, %{key: "visits:/blog", name: "visits", count: 42}}
//
// so that Phoenix.PubSub.subscribe(MyApp.PubSub, "metrics:visits:/blog") is told of
// one counter, and the other topic of all of that name. A counter that changes often
// is told of as often as the nodes take it, with its last value.
func (c *Controller) tellCounts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.topics.counts.ready:
		}
		for _, counter := range c.topics.counts.take() {
			c.tellCount(ctx, counter)
		}
	}
}

func (c *Controller) tellCount(ctx context.Context, counter inbox.Counter) {
	message := etf.Tuple{etf.Atom("metric_updated"), etf.Map{
		{Key: etf.Atom("key"), Value: keyOf(counter)},
		{Key: etf.Atom("name"), Value: counter.Name},
		{Key: etf.Atom("count"), Value: int(counter.Value)},
	}}
	for _, s := range c.config.Spec().PubSub {
		for _, topic := range []string{"metrics:" + keyOf(counter), "metrics:" + counter.Name} {
			kept := func(pattern string) bool { return topics.Match(pattern, topic) }
			if !slices.ContainsFunc(s.Topics, kept) || ctx.Err() != nil {
				continue
			}
			if _, failed, err := c.broadcast(ctx, broadcast{server: s.Name, topic: topic, message: message}); err != nil || len(failed) > 0 {
				c.log.Debug("broadcast a counter", "topic", topic, "failed", failed, "error", err)
			}
		}
	}
}
