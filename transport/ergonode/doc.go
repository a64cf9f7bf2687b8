// Package ergonode is the node that ehc is on the Erlang network: a hidden node,
// seated on the actor runtime of ergo, which dials and is dialled by OTP 25 to 29.
//
// It is the one package that imports ergo. From ergo it takes processes: every
// registered server of ours is one. The wire it does itself: ergo's handshake,
// codec, routing and names are not used. See seat for how ergo's processes and
// Erlang's reach each other all the same.
//
// One path for both directions:
//
//	Dial ──▶ EPMD ──▶ TCP ──▶ handshake ─┐
//	                                     ├─▶ establish ──▶ link ──▶ Observer
//	listener ────────────────▶ handshake ┘     (adopted by ergo)
//
// A link is one goroutine that reads and one that writes from a bounded queue, and
// tables of its own: calls of ours, monitors and links that the peer holds, inbound
// calls that wait for an answer. When a link ends, for whatever cause, everything in its
// tables ends with it, and only then is the Observer told.
//
// Phoenix.PubSub's messages are taken by the readers too: see party.
//
// It refuses: to be visible, to run code for a peer (beyond Options.Functions), to
// link processes of ours to a peer's, to send what makes a peer close the
// connection, and to dial by itself: a connection is there because Dial was called
// or because the peer came.
package ergonode
