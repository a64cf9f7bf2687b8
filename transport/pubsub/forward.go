package pubsub

import "ehc/transport/etf"

// dispatcher is the module whose dispatch/3 hands a message to the subscribers. A
// worker dies of one that its node does not have; this one it always has.
const dispatcher = ScopeName

// Forward is the message by which a broadcast reaches a node's worker.
func Forward(topic string, message etf.Term) etf.Tuple {
	return etf.Tuple{etf.Atom("forward_to_local"), topic, message, dispatcher}
}

// Forwarded reads such a message. Of the dispatcher nothing is asked: we have no
// others.
func Forwarded(t etf.Term) (topic string, message etf.Term, ok bool) {
	m, _ := t.(etf.Tuple)
	if len(m) != 4 || m[0] != etf.Term(etf.Atom("forward_to_local")) {
		return "", nil, false
	}
	topic, ok = m[1].(string)
	return topic, m[2], ok
}

// Event is a %Phoenix.Socket.Broadcast{}: what Endpoint.broadcast/3 sends, and what
// channels and LiveViews take as an event of a topic.
type Event struct {
	_       struct{} `erl:"Elixir.Phoenix.Socket.Broadcast,struct"`
	Topic   string   `erl:"topic"`
	Event   string   `erl:"event"`
	Payload etf.Term `erl:"payload"`
}

// Term is the struct.
func (e Event) Term() (etf.Term, error) { return etf.From(e) }

// EventOf reads a message that is one.
func EventOf(message etf.Term) (Event, bool) {
	m, ok := message.(etf.Map)
	if name, _ := m.Get(etf.Atom("__struct__")); !ok || name != etf.Term(etf.Atom("Elixir.Phoenix.Socket.Broadcast")) {
		return Event{}, false
	}
	e, err := etf.As[Event](m)
	return e, err == nil
}
