// Package pubsub is Phoenix.PubSub 2.x as state machines: a message in, messages
// out. There are no sockets here, no clock and no goroutines; package ergonode has
// those.
//
// Phoenix.PubSub spreads a broadcast over the nodes by pg, OTP's process groups:
//
//	pg scope       the process registered as Elixir.Phoenix.PubSub, one per node. The
//	               scopes of all nodes tell each other which processes are members of
//	               which groups. Scope is ours.
//	server         {Phoenix.PubSub, name: MyApp.PubSub} in an app's children
//	adapter group  Elixir.MyApp.PubSub.Adapter and, with a pool_size beyond 1, the same
//	               with _2, _3 and so on. Each is a pg group with one worker of every
//	               node, and the name under which that worker is registered.
//	broadcast      the broadcasting process picks one of the groups, always the same,
//	               and sends each member on other nodes
//	               {forward_to_local, Topic, Message, Dispatcher}
//
// Who receives is therefore a member of every group, and who sends needs none: one
// message to the worker of the first group of each node. A member gets the messages
// of all topics of a server, whoever subscribes to them.
//
// A scope dies of a message that its release does not know, and with a supervisor's
// patience the app's PubSub after it. So only what OTP 25 to 29 all know is sent,
// discover and sync (see Scope), and nothing that a peer sends is passed on.
package pubsub

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"ehc/transport"
	"ehc/transport/etf"
)

// ScopeName is what the scope process of every node is registered as.
const ScopeName = etf.Atom("Elixir.Phoenix.PubSub")

// MaxPool is the largest pool that is looked at: groups of higher numbers do not
// count. Phoenix.PubSub's default is 1, and a pool larger than the machine has
// schedulers gains nothing.
const MaxPool = 256

const suffix = ".Adapter"

// Group is an adapter group: its number counts from 1.
type Group struct {
	Server string
	Number int
}

// Adapter is the first adapter group of a server, and what its worker is registered
// as.
func Adapter(server string) etf.Atom { return Group{server, 1}.Atom() }

// Atom is the group's name.
func (g Group) Atom() etf.Atom {
	a := "Elixir." + g.Server + suffix
	if g.Number > 1 {
		a += "_" + strconv.Itoa(g.Number)
	}
	return etf.Atom(a)
}

// GroupOf reads an adapter group's name. Other groups are nothing of ours.
func GroupOf(a etf.Atom) (Group, bool) {
	name, ok := strings.CutPrefix(string(a), "Elixir.")
	at := strings.LastIndex(name, suffix)
	if !ok || at <= 0 {
		return Group{}, false
	}
	g := Group{Server: name[:at], Number: 1}
	if number, numbered := strings.CutPrefix(name[at+len(suffix):], "_"); numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n > MaxPool {
			return Group{}, false
		}
		g.Number = n
	}
	return g, g.Atom() == a // neither "_1" nor "_02"
}

// Broadcast sends a message to those who have subscribed to a topic of a server on
// one node. nil says only that it was queued for the wire: broadcasts reach a node at
// most once, and one without such a server drops them in silence. Broadcasts to one
// node arrive in the order in which they were sent.
func Broadcast(ctx context.Context, to transport.Caller, server, topic string, message transport.Term) error {
	if err := to.Send(ctx, string(Adapter(server)), Forward(topic, message)); err != nil {
		return fmt.Errorf("broadcast to %s: %w", server, err)
	}
	return nil
}
