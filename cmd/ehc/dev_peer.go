package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"github.com/hashicorp/go-hclog"

	"ehc/controller"
	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// devPeer is the remote app that `ehc dev` plays: a node that answers the
// handler which the outbox delivers to, keeps a journal of what it got, and
// answers the counts.
type devPeer struct {
	name     string
	cookie   transport.Cookie
	epmdPort uint16
	journal  string
	ready    io.Writer // told in one line when the node is up
}

// run serves until ctx ends.
func (p devPeer) run(ctx context.Context) error {
	j, err := openJournal(p.journal)
	if err != nil {
		return err
	}
	var one sync.Mutex // calls may overlap when a deadline has cut one off
	handle := func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		e, err := entryOf(args[0])
		if err != nil {
			return etf.Tuple{etf.Atom("error"), etf.Atom("unknown_event_type")}, nil
		}
		one.Lock()
		defer one.Unlock()
		return etf.Atom("ok"), j.record(e)
	}
	count := func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
		key, _ := args[0].(string)
		one.Lock()
		defer one.Unlock()
		return j.counts[key], nil
	}
	_, host := nodeParts(p.name)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("node %s: %w", p.name, err)
	}
	node, err := ergonode.Start(ctx, ergonode.Options{
		Name: p.name, Cookies: []transport.Cookie{p.cookie}, Listen: addr, EPMDPort: p.epmdPort,
		Observer: nobody{}, Log: hclog.NewNullLogger(),
		Functions: controller.About(map[transport.Function]transport.Handler{
			{Module: "Elixir.EventHorizon.Remote.Handler", Name: "handle_buffered_event", Arity: 1}: handle,
			{Module: "Elixir.Remote.Metrics", Name: "get_count", Arity: 1}:                          count,
		}),
	})
	if err != nil {
		return err
	}
	defer node.Stop()
	if _, err := fmt.Fprintln(p.ready, "ready"); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	<-ctx.Done()
	return nil
}

// devEvent is an event as the Elixir handler matches it.
type devEvent struct {
	ID      string `erl:"event_id"`
	Kind    string `erl:"type,atom"`
	Payload struct {
		Page  string `erl:"page_id,omitempty"`
		Post  string `erl:"post_id,omitempty"`
		Delta int    `erl:"delta,omitempty"`
	} `erl:"payload"`
}

// entryOf is what the journal keeps of an event.
func entryOf(event transport.Term) (entry, error) {
	e, err := etf.As[devEvent](event)
	if err != nil {
		return entry{}, fmt.Errorf("not an event: %w", err)
	}
	made := entry{id: e.ID, kind: e.Kind, key: e.Payload.Post, delta: e.Payload.Delta}
	switch e.Kind {
	case "increment_visit":
		made.key = e.Payload.Page
	case "update_likes":
	case "add_comment":
		made.delta = 1
	default:
		return entry{}, errors.New("unknown event type")
	}
	if made.id == "" || made.key == "" {
		return entry{}, errors.New("not an event")
	}
	return made, nil
}

// nobody observes nothing.
type nobody struct{}

func (nobody) Up(transport.Conn)          {}
func (nobody) Down(transport.Conn, error) {}
