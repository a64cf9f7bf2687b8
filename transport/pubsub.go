package transport

// PubSubServer is a Phoenix.PubSub server to take part in.
type PubSubServer struct {
	// Name is the server's, as Elixir shows it: "MyApp.PubSub", or "my_pubsub" for
	// the atom :my_pubsub.
	Name string
	// Pool is the pool_size that its nodes are meant to have; 0 is whatever they show.
	Pool int
}

// PubSub is a node's part in Phoenix.PubSub. Broadcasting is a message to a
// registered name, which every Conn can send: see pubsub.Broadcast.
type PubSub interface {
	// Follow takes part in these servers and no others, from now on and on every
	// connection. It may be called at any time; without servers nothing comes, and no
	// peer is asked anything. It keeps nothing of the slice.
	Follow(servers []PubSubServer)
}

// PubSubListener hears what Phoenix.PubSub brings. Its methods are called from
// several goroutines, those about one node never at once. They must not block and
// must not call Follow.
type PubSubListener interface {
	// Heard is told of every message that was broadcast on a node to a server that is
	// followed, whatever its topic: a member of a server gets all of it. Messages of
	// one process come in the order in which it sent them.
	Heard(PubSubMessage)
	// Shown is told what a connected node shows, once it is known and whenever it has
	// changed. It falls between the Observer's Up and Down of the connection.
	Shown(PubSubPeer)
}

// PubSubMessage is one broadcast.
type PubSubMessage struct {
	Server, Topic string
	Node          string // the connected node from which it came
	Message       Term
	// Size is how many bytes it had on the wire, all of it; 0 if it was on none.
	Size int
}

// PubSubPeer is what a node shows of Phoenix.PubSub.
type PubSubPeer struct {
	Node string
	// Scope says that its scope process, which knows its servers, has answered. If
	// not, the node has none: no broadcast comes from it, and those sent to it arrive
	// at most by name.
	Scope bool
	// Pools is how large the pool of each followed server is there. A server that is
	// missing does not run there, or is cut off from its scope: it is deaf, and so are
	// we to it.
	Pools map[string]int
	// Others are servers that the node shows and that are not followed, in order.
	Others []string
	// Dropped is how many messages to our scope were not understood.
	Dropped uint64
}
