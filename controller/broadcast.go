package controller

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"ehc/controller/api"
	"ehc/controller/termjson"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

// broadcastLimit bounds how long a broadcast waits for a node that takes nothing.
const broadcastLimit = 5 * time.Second

// maxTopic bounds a topic, in bytes.
const maxTopic = 1024

// Broadcast sends a message to the subscribers of a topic: once to every connected
// node of every app, or of one, and to those who watch it here.
func (c *Controller) Broadcast(ctx context.Context, r api.BroadcastRequest) (api.Broadcasted, error) {
	s, err := c.server(r.Server)
	if err != nil {
		return api.Broadcasted{}, err
	}
	if r.App != "" {
		if _, err := c.calledApp(r.App); err != nil {
			return api.Broadcasted{}, err
		}
	}
	m, err := broadcastTerm(r)
	if err != nil {
		return api.Broadcasted{}, err
	}
	to := broadcast{server: s.Name, topic: r.Topic, app: r.App, message: m}
	sent, failed, err := c.broadcast(ctx, to)
	if err != nil {
		return api.Broadcasted{}, api.NewProblem(http.StatusBadRequest, "message: %v", err)
	}
	out := api.Broadcasted{Server: s.Name, Nodes: sent}
	for _, f := range failed {
		out.Failed = append(out.Failed, f.Error())
	}
	return out, nil
}

// broadcastTerm reads what to broadcast.
func broadcastTerm(r api.BroadcastRequest) (etf.Term, error) {
	if r.Topic == "" || len(r.Topic) > maxTopic {
		return nil, api.NewProblem(http.StatusBadRequest, "topic: want 1 to %d bytes", maxTopic)
	}
	if len(r.Message) == 0 {
		return nil, api.NewProblem(http.StatusBadRequest, "message: want JSON")
	}
	m, err := termjson.Decode(r.Message)
	if err == nil && r.Event != "" {
		m, err = pubsub.Event{Topic: r.Topic, Event: r.Event, Payload: m}.Term()
	}
	if err != nil {
		return nil, api.NewProblem(http.StatusBadRequest, "message: %v", err)
	}
	return m, nil
}

// broadcast is one message for a topic of a server, on the nodes of one app or, with
// none, of all.
type broadcast struct {
	server, topic, app string
	message            etf.Term
}

// broadcast sends b once to each node. It says to how many, and why not to others.
// The error is that b cannot be sent at all.
func (c *Controller) broadcast(ctx context.Context, b broadcast) (sent int, failed []error, err error) {
	message, err := encoded(b.message) // once for all nodes
	if err != nil {
		return 0, nil, err
	}
	c.topics.take(transport.PubSubMessage{Server: b.server, Topic: b.topic, Node: string(c.config.started.Node.Name), Message: b.message})
	b.message = message
	sent, failed = c.spread(ctx, broadcastLimit, b, func(app string) bool { return b.app == "" || app == b.app })
	return sent, failed, nil
}

// spread sends b, whose message is encoded, to each node of the apps that want it.
func (c *Controller) spread(ctx context.Context, within time.Duration, b broadcast, wants func(app string) bool) (sent int, failed []error) {
	var conns []transport.Conn
	for _, n := range c.store.Snapshot().Conns() {
		if n.Phase != state.Up || n.App == "" || !wants(n.App) {
			continue
		}
		if conn := c.links.Get(n.Node); conn != nil {
			conns = append(conns, conn)
		}
	}
	limit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for i, r := range transport.Each(limit, conns, func(ctx context.Context, conn transport.Conn) (struct{}, error) {
		return struct{}{}, pubsub.Broadcast(ctx, conn, b.server, b.topic, b.message)
	}) {
		if r.Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", conns[i].Peer().Node, r.Err))
			continue
		}
		sent++
	}
	c.meter.Broadcast(b.server, sent, len(failed))
	return sent, failed
}
