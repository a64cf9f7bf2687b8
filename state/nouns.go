package state

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Node is the full name of an Erlang node, such as "billing-01J@fdaa:0:1::2".
type Node string

// ParseNode returns s as a Node, or an error if s is not name@host with one @.
func ParseNode(s string) (Node, error) {
	name, host, ok := strings.Cut(s, "@")
	if !ok || name == "" || host == "" || strings.Contains(host, "@") {
		return "", fmt.Errorf("node %q: want name@host", s)
	}
	return Node(s), nil
}

// Name is the part before the @; Host the part after it.
func (n Node) Name() string { name, _, _ := strings.Cut(string(n), "@"); return name }

// Host is the part after the @.
func (n Node) Host() string { _, host, _ := strings.Cut(string(n), "@"); return host }

// Peer is a node that one query of one app lists, or listed a moment ago. A
// node is wanted while any of its rows has a zero GoneSince.
//
// Only a lookup that worked adds a row or sets GoneSince, or the query leaving
// cluster.hcl, so a failed lookup changes no peer. While every query of an app
// finds nothing, and the app does not allow that, its rows stay without a
// GoneSince where the link is down, until EmptyEnough answers agree.
type Peer struct {
	Node      Node
	App       string     // the peer block that asked for it
	Query     string     // the query that lists it, as written in cluster.hcl
	Addr      netip.Addr // where to dial; zero: the node's host part
	Port      uint16     // distribution port; 0 asks EPMD at Addr
	GoneSince time.Time  // when a lookup first left it out; zero while listed
}

// Query is one query of one app and how its last lookup went.
type Query struct {
	App, Name  string
	Known      bool   // a lookup has worked since the start
	Err        string // why the last lookup failed; empty if it worked
	Unasked    string // why nobody could be asked at some of the addresses that it listed; empty if all were
	Barren     string // why the last lookup that worked found no node, for people; empty if it found one
	EmptyTimes int    // how often in a row a lookup that worked found no node, up to EmptyEnough
	Machines   Machines
}

// Machines is what the last lookup that worked says of the machines of an app, if
// it is of a kind that can: one that is stopped has no address, and is neither
// found nor dialled. Otherwise it is zero.
type Machines struct {
	Deployed int    // started or not
	Stopped  int    // deployed and not started
	Which    string // the stopped ones, for people: "148e45 in lhr, 683d31 in yyz"; empty if there are none
}

// EmptyEnough is how often in a row an answer must be empty before the dead
// nodes of an app leave the table on its word.
const EmptyEnough = 3

// Phase says where a connection stands.
type Phase uint8

// The phases of a connection.
const (
	Down Phase = iota
	Dialling
	Up
)

var phaseNames = [...]string{Down: "down", Dialling: "dialling", Up: "up"}

func (p Phase) String() string { return phaseNames[p] }

// Conn is what is known of the connection to one node, live or lost.
type Conn struct {
	Node     Node
	App      string    // empty if no peer block claims the node: then it is not ours to prune
	Phase    Phase     //
	Since    time.Time // when it came up or went down; a dial does not move it
	Creation uint32    // the peer's incarnation, from the handshake
	Synced   uint32    // the incarnation last resynced with
	Release  string    // the peer's OTP release, learned by resync; empty before
	RetryAt  time.Time // do not dial, or resync, before this
	Tries    int       // dials and resyncs that failed, and connections that did not last, since one did
	Reason   string    // stable word for why it is down or unsynced, such as CookieRejected
	Message  string    // the same for people
	Busy     bool      // a prune or a resync of it is under way
}

// Backlog is how much the outbox holds for one app. It is written when a queue
// leaves zero or reaches it and coarsely in between, so Pending may lag while
// Draining.
type Backlog struct {
	App      string
	Pending  int
	Draining bool      // a drain is under way
	RetryAt  time.Time // do not drain before this
	Tries    int       // drains that failed since one last delivered something
	FailedOn Node      // the node through which a drain failed last: the next goes through another; empty if none has
	Reason   string    // stable word for why the last drain stopped early; empty if it did not
	Message  string    // the same for people
}

// Approval lets the next plans prune a node in spite of a hold: a person has
// looked at it and approved. It leaves the table with the node.
type Approval struct {
	Node Node
	At   time.Time
}

// Suspension says that a person has told ehc to leave an app alone: nothing is
// done to its nodes until another word. The app need not be in the file.
type Suspension struct {
	App string
	At  time.Time
}

// Batch is when an app's nodes were last pruned, and how many in this batch:
// the guards let the next batch go only one grace later.
type Batch struct {
	App   string
	At    time.Time
	Count int
}

// Found is a node that a lookup found.
type Found struct {
	Node Node
	Addr netip.Addr
	Port uint16 // 0: not learned
}

// Answer is a lookup that worked: the nodes it found, and the listed addresses
// at which nobody could be asked for names. Peers at those addresses are
// neither found nor gone. Why says what went wrong there; empty if Unasked is.
type Answer struct {
	Found   []Found
	Unasked []netip.Addr
	Why     string
	// Barren is why it found none, for people: no address, or no name that fits. It is
	// empty if it found some, or there are Unasked.
	Barren string
	// Machines is for people to see: no peer comes or goes by it.
	Machines Machines
}
