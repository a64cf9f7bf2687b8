package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// devPeer is the remote app that `ehc dev` plays: a node that answers the
// handler which the outbox delivers to, and keeps a journal of what it got.
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
	release := func(context.Context, string, []transport.Term) (transport.Term, error) {
		return "ehc", nil
	}
	_, host := nodeParts(p.name)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("node %s: %w", p.name, err)
	}
	node, err := ergonode.Start(ctx, ergonode.Options{
		Name: p.name, Cookies: []transport.Cookie{p.cookie}, Listen: addr, EPMDPort: p.epmdPort,
		Observer: nobody{}, Log: hclog.NewNullLogger(),
		Functions: map[transport.Function]transport.Handler{
			{Module: "Elixir.EventHorizon.Remote.Handler", Name: "handle_buffered_event", Arity: 1}: handle,
			{Module: "erlang", Name: "system_info", Arity: 1}:                                       release,
		},
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

// entryOf reads an event as the Elixir handler matches it.
func entryOf(event transport.Term) (entry, error) {
	m, _ := event.(etf.Map)
	id, _ := get[string](m, "event_id")
	kind, _ := get[etf.Atom](m, "type")
	payload, _ := get[etf.Map](m, "payload")
	e := entry{id: id, kind: string(kind), delta: 1}
	switch kind {
	case "increment_visit":
		e.key, _ = get[string](payload, "page_id")
		e.delta, _ = get[int](payload, "delta")
	case "update_likes":
		e.key, _ = get[string](payload, "post_id")
		e.delta, _ = get[int](payload, "delta")
	case "add_comment":
		e.key, _ = get[string](payload, "post_id")
	default:
		return entry{}, errors.New("unknown event type")
	}
	if e.id == "" || e.key == "" {
		return entry{}, errors.New("not an event")
	}
	return e, nil
}

func get[T any](m etf.Map, key etf.Atom) (T, bool) {
	v, _ := m.Get(key)
	t, ok := v.(T)
	return t, ok
}

// nobody observes nothing.
type nobody struct{}

func (nobody) Up(transport.Conn)          {}
func (nobody) Down(transport.Conn, error) {}
