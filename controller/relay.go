package controller

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"ehc/controller/topics"
	"ehc/state"
	"ehc/transport"
)

const (
	// relaysWaiting is how many messages may wait to be passed on.
	relaysWaiting = 4096
	// relaysBytes is how many bytes they may have, as they were on the wire.
	relaysBytes = 64 << 20
	// relayLimit bounds how long one waits for a node that takes nothing: those behind
	// it wait, too.
	relayLimit = 250 * time.Millisecond
)

// relays are messages that were broadcast on one app and are to be passed on to the
// others. What finds no room is dropped: PubSub promises no more.
type relays struct {
	of      atomic.Pointer[map[string][]string] // the topics of each server that are passed on
	waiting chan transport.PubSubMessage
	bytes   atomic.Int64 // of those that wait
	dropped atomic.Uint64
}

func newRelays() *relays { return &relays{waiting: make(chan transport.PubSubMessage, relaysWaiting)} }

// set passes on what these servers ask for, from now on.
func (r *relays) set(servers []state.PubSub) {
	of := map[string][]string{}
	for _, s := range servers {
		if s.Relay {
			of[s.Name] = s.Topics
		}
	}
	r.of.Store(&of)
}

// add takes a message if it is one to pass on. It does not block.
func (r *relays) add(m transport.PubSubMessage) {
	of := r.of.Load()
	if of == nil || !slices.ContainsFunc((*of)[m.Server], func(p string) bool { return topics.Match(p, m.Topic) }) {
		return
	}
	if r.bytes.Add(int64(m.Size)) <= relaysBytes {
		select {
		case r.waiting <- m:
			return
		default:
		}
	}
	r.bytes.Add(int64(-m.Size))
	r.dropped.Add(1)
}

// relay passes messages on until ctx ends, in the order in which they came.
func (c *Controller) relay(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.topics.relays.waiting:
			c.passOn(ctx, m)
			c.topics.relays.bytes.Add(int64(-m.Size))
		}
		if n := c.topics.relays.dropped.Swap(0); n > 0 {
			c.log.Warn("broadcasts not passed on: too many came at once", "count", n)
		}
	}
}

// passOn sends a message to every node of the apps other than the one from which it
// came. One that came from no app, such as our own, is not passed on. A node hands it to
// its own subscribers and sends it nowhere, so it comes round to nobody.
func (c *Controller) passOn(ctx context.Context, m transport.PubSubMessage) {
	from := c.store.Snapshot().Conn(state.Node(m.Node)).App
	if from == "" {
		return
	}
	message, err := encoded(m.Message)
	if err != nil {
		c.log.Debug("pass on a broadcast", "topic", m.Topic, "from", m.Node, "error", err)
		return
	}
	b := broadcast{server: m.Server, topic: m.Topic, message: message}
	if _, failed := c.spread(ctx, relayLimit, b, func(app string) bool { return app != from }); len(failed) > 0 {
		c.log.Debug("pass on a broadcast", "topic", m.Topic, "from", m.Node, "failed", failed)
	}
}
