package dist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"ehc/transport"
)

// DialOptions say who dials whom.
type DialOptions struct {
	// Local is this node, with the flags that it offers.
	Local Node
	// Want is the name that the peer must have.
	Want string
	// Cookie is the secret that both must know. An empty one is never tried.
	Cookie transport.Cookie
	// Keep is asked if the peer says that a connection between us is up. Where that is
	// so, because the peer's own dial has been quicker, Dial gives way to it. nil, or
	// false, says that there is none: the peer has not noticed its end yet.
	Keep func() bool
	// Wide is set over TLS, where lengths have four bytes.
	Wide bool
}

// Dial does the handshake as the side that opened the connection and returns who
// is at the other end. It reads nothing past the handshake and buffers nothing.
// The caller sets a deadline on rw before (an Erlang node gives up after seven
// seconds without progress), takes it off after, and closes rw on an error.
//
// If the peer believes that an older connection of ours is up, Dial asks it to
// take this one in its place, unless Keep knows better. An error wraps exactly one of
//
//	ErrCookie       closed after our digest, or the peer's own digest is wrong
//	ErrFlags        not_allowed: the peer lacks flags of ours or forbids our name;
//	                or the peer offers less than Mandatory
//	ErrYielded      nok: the peer keeps its own dial to us, or refuses our name;
//	                or Keep said so
//	ErrName         the peer has another name than Want
//	ErrTimeout      the deadline of rw
//	ErrTLS          the port speaks TLS, or TLS itself failed
//	ErrProtocol     whoever listens there is no Erlang node
//	ErrUnreachable  the connection broke, or was closed, before our digest
//
// of package transport, except for rw's own error when the caller closes rw
// meanwhile, and for what is wrong with the options.
func Dial(rw io.ReadWriter, o DialOptions) (Node, error) {
	return dial(rw, o, newChallenge())
}

func dial(rw io.ReadWriter, o DialOptions, ours uint32) (Node, error) {
	if err := errors.Join(CheckName(o.Local.Name), CheckName(o.Want)); err != nil {
		return Node{}, fmt.Errorf("%w: %w", transport.ErrName, err)
	}
	if o.Cookie == (transport.Cookie{}) {
		return Node{}, fmt.Errorf("%w: it is empty", transport.ErrCookie)
	}
	w := wire{rw: rw, wide: o.Wide}
	if err := w.send(tagName, hello{node: o.Local}.appendName); err != nil {
		return Node{}, err
	}
	if err := w.awaitStatus(o.Keep); err != nil {
		return Node{}, err
	}
	peer, err := w.awaitChallenge(o.Want)
	if err != nil {
		return Node{}, err
	}
	if err := w.prove(o.Cookie, peer.challenge, ours); err != nil {
		return Node{}, err
	}
	return peer.node, nil
}

// awaitStatus returns nil if the handshake goes on.
func (w wire) awaitStatus(keep func() bool) error {
	text, err := w.receive(tagStatus)
	if err != nil {
		return err
	}
	switch string(text) {
	case "ok", "ok_simultaneous":
		return nil
	case "alive":
		if keep != nil && keep() {
			_ = w.sendStatus("false") // the handshake is over, sent or not
			return fmt.Errorf("%w: to a connection that is up", transport.ErrYielded)
		}
		return w.sendStatus("true")
	case "nok":
		return fmt.Errorf("%w: nok", transport.ErrYielded)
	case "not_allowed":
		return fmt.Errorf("%w: not_allowed", transport.ErrFlags)
	}
	return fmt.Errorf("%w: status %.40q", transport.ErrProtocol, text)
}

func (w wire) awaitChallenge(want string) (hello, error) {
	b, err := w.receive(tagName)
	if err != nil {
		return hello{}, err
	}
	peer, err := parseChallenge(b)
	if err != nil {
		return hello{}, err
	}
	if peer.node.Name != want {
		return hello{}, fmt.Errorf("%w: %.255q answers", transport.ErrName, peer.node.Name)
	}
	return peer, checkFlags(peer.node.Flags)
}

// prove shows that we know the cookie, and has the peer show it too.
func (w wire) prove(c transport.Cookie, theirs, ours uint32) error {
	proof := digest(c, theirs)
	err := w.send(tagReply, func(b []byte) []byte {
		return append(binary.BigEndian.AppendUint32(b, ours), proof[:]...)
	})
	if err != nil {
		return err
	}
	ack, err := w.receive(tagAck)
	switch {
	case errors.Is(err, transport.ErrUnreachable): // a node says nothing, it closes
		return fmt.Errorf("%w: the peer closed after our digest", transport.ErrCookie)
	case err != nil:
		return err
	case !proves(ack, c, ours):
		return fmt.Errorf("%w: the peer's digest is wrong", transport.ErrCookie)
	}
	return nil
}
