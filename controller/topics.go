package controller

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/controller/telemetry"
	"ehc/controller/topics"
	"ehc/state"
	"ehc/transport"
)

// Topics takes what Phoenix.PubSub brings: messages for those who watch, and what
// nodes show of it for the store. It is the transport's PubSubListener.
type Topics struct {
	store  *state.Store
	hub    *topics.Hub
	counts *countNews
	relays *relays
	log    hclog.Logger
	meter  *telemetry.Meter
}

var _ transport.PubSubListener = (*Topics)(nil)

// NewTopics returns Topics of which a Controller is to be told, in its Options. meter
// hears of every message; it may be nil.
func NewTopics(store *state.Store, log hclog.Logger, meter *telemetry.Meter) *Topics {
	return &Topics{store: store, hub: topics.New(), counts: newCountNews(), relays: newRelays(), log: log, meter: meter}
}

// Heard takes a message.
func (t *Topics) Heard(m transport.PubSubMessage) {
	t.meter.Heard(m.Server, t.take(m))
	t.relays.add(m)
}

// take keeps a message for those who watch: Heard, uncounted and not passed on.
func (t *Topics) take(m transport.PubSubMessage) (fate string) {
	switch t.hub.Heard(m, time.Now()) {
	case topics.Kept:
		return telemetry.Kept
	case topics.Lost:
		return telemetry.Lost
	}
	return telemetry.PassedOver
}

// Shown records what a node shows.
func (t *Topics) Shown(p transport.PubSubPeer) {
	row := state.PubSubPeer{Node: state.Node(p.Node), Scope: p.Scope, Others: p.Others}
	for _, server := range slices.Sorted(maps.Keys(p.Pools)) {
		row.Pools = append(row.Pools, state.PubSubPool{Server: server, Size: p.Pools[server]})
	}
	if err := t.store.RecordPubSub(row); err != nil {
		t.log.Error("record PubSub", "node", p.Node, "error", err)
	}
	if p.Dropped > 0 {
		t.log.Debug("messages to the pg scope dropped", "node", p.Node, "count", p.Dropped)
	}
}

// follow takes part in the servers of the file.
func (c *Controller) follow(servers []state.PubSub) {
	keep := map[string][]string{}
	var followed []transport.PubSubServer
	for _, s := range servers {
		keep[s.Name] = s.Topics
		c.meter.TakesPart(s.Name)
		followed = append(followed, transport.PubSubServer{Name: s.Name, Pool: s.Pool})
	}
	c.topics.hub.Keep(keep)
	c.topics.relays.set(servers)
	if c.pubsub != nil {
		c.pubsub.Follow(followed)
	}
}

// server is the PubSub server of this name, or the first of the file.
func (c *Controller) server(name string) (state.PubSub, error) {
	all := c.config.Spec().PubSub
	if len(all) == 0 {
		return state.PubSub{}, api.NewProblem(http.StatusUnprocessableEntity,
			`this controller takes part in no Phoenix.PubSub: give cluster.hcl a block such as pubsub "MyApp.PubSub" { topics = ["metrics:*"] }`)
	}
	if name == "" {
		return all[0], nil
	}
	i, ok := slices.BinarySearchFunc(all, name, func(s state.PubSub, n string) int { return cmp.Compare(s.Name, n) })
	if !ok {
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		return state.PubSub{}, api.NewProblem(http.StatusUnprocessableEntity, "no pubsub block %q: cluster.hcl has %s", name, orNone(names))
	}
	return all[i], nil
}

// Topics subscribes to topics. What is not kept can never come, so who asks for such
// a topic is told so.
func (c *Controller) Topics(_ context.Context, q api.TopicQuery) (api.TopicReader, error) {
	s, err := c.server(q.Server)
	if err != nil {
		return nil, err
	}
	if !c.topics.hub.Keeps(s.Name, q.Topic) {
		return nil, api.NewProblem(http.StatusUnprocessableEntity,
			"topic %q of %s is not kept: add it to topics of that pubsub block, which has %q", q.Topic, s.Name, s.Topics)
	}
	return topicReader{c.topics.hub.Subscribe(s.Name, q.Topic, q.After)}, nil
}

// topicReader is a reader as the API has it.
type topicReader struct{ r *topics.Reader }

// Close gives the reader up.
func (t topicReader) Close() { t.r.Close() }

// Next waits for messages.
func (t topicReader) Next(ctx context.Context) (api.TopicBatch, error) {
	b, err := t.r.Next(ctx)
	if errors.Is(err, topics.ErrClosed) {
		err = api.ErrEnded
	}
	out := api.TopicBatch{Lost: api.Lost{Count: b.Lost, Forgotten: b.Forgotten}}
	for _, m := range b.Messages {
		out.Messages = append(out.Messages, api.TopicMessage{
			ID: m.ID, At: m.At, Server: m.Server, Topic: m.Topic, Node: m.Node, Event: m.Event, Message: m.Data,
		})
	}
	return out, err
}
