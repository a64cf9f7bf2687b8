package dist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"ehc/transport"
)

// Why an accepted connection was none in the end, though nothing is wrong.
var (
	// ErrNok says that the peer was sent away, as decided.
	ErrNok = errors.New("sent away: our own dial goes on")
	// ErrStays says that a peer which was told of its live connection keeps that.
	ErrStays = errors.New("peer keeps its present connection")
)

// Decision is what the accepting side makes of a peer's name.
type Decision uint8

// The decisions, which are OTP's status words.
const (
	// OK lets the peer in: there is neither a connection nor a dial.
	OK Decision = iota
	// OKSimultaneous lets the peer in though we are dialling it: its dial wins.
	OKSimultaneous
	// Nok sends the peer away, because our own dial to it wins.
	Nok
	// Alive lets the peer in if it takes the place of the live connection.
	Alive
)

// String is the status word on the wire.
func (d Decision) String() string {
	switch d {
	case OK:
		return "ok"
	case OKSimultaneous:
		return "ok_simultaneous"
	case Nok:
		return "nok"
	case Alive:
		return "alive"
	}
	return fmt.Sprintf("Decision(%d)", uint8(d))
}

// Collide decides when two nodes dial each other at the same time: the dial of
// the one with the greater name wins. Both ends come to the same result.
func Collide(local, peer string) Decision {
	if local > peer {
		return Nok
	}
	return OKSimultaneous
}

// AcceptOptions say who accepts and on what terms. The functions are called from
// within Accept; names that they are given have passed CheckName and are not our
// own, but are not proven before the digest.
type AcceptOptions struct {
	// Local is this node, with the flags that it offers.
	Local Node
	// Cookies gives the cookies of which the peer must know one. Empty ones count
	// for nothing.
	Cookies func(node string) []transport.Cookie
	// Decide is asked once the name is known. Anybody can claim a name here, so it
	// must not end or change anything. nil lets all in.
	Decide func(node string) Decision
	// Admit is called once the peer has proven that it knows a cookie, and before it
	// is told that it is in: from then on it counts itself connected. After
	// OKSimultaneous and Alive this is the place to end our dial or the old
	// connection, and to return once that is gone. An error ends the handshake. nil
	// does nothing.
	Admit func(node string, d Decision) error
	// Wide is set over TLS, where lengths have four bytes.
	Wide bool
}

// Accept does the handshake as the side that was dialled, and returns who is at
// the other end and which cookie it knew. It reads nothing past the handshake and
// buffers nothing. The caller sets a deadline on rw before, takes it off after,
// and closes rw on an error.
//
// An error wraps ErrName (malformed, or our own name), ErrFlags, ErrCookie,
// ErrTimeout, ErrTLS, ErrProtocol or ErrUnreachable (the peer closed or the
// connection broke; a peer that misses flags of ours or expects another name does
// just that) of package transport, ErrNok, ErrStays, or what Admit returned.
func Accept(rw io.ReadWriter, o AcceptOptions) (Node, transport.Cookie, error) {
	return accept(rw, o, newChallenge())
}

func accept(rw io.ReadWriter, o AcceptOptions, ours uint32) (Node, transport.Cookie, error) {
	w := wire{rw: rw, wide: o.Wide}
	peer, err := w.awaitName(o.Local.Name)
	if err != nil {
		return Node{}, transport.Cookie{}, err
	}
	decision := OK
	if o.Decide != nil {
		decision = o.Decide(peer.Name)
	}
	if err := w.answer(decision); err != nil {
		return Node{}, transport.Cookie{}, err
	}
	cookie, theirs, err := w.challenge(o, peer.Name, ours)
	if err != nil {
		return Node{}, transport.Cookie{}, err
	}
	if o.Admit != nil {
		if err := o.Admit(peer.Name, decision); err != nil {
			return Node{}, transport.Cookie{}, fmt.Errorf("admit %s: %w", peer.Name, err)
		}
	}
	proof := digest(cookie, theirs)
	if err := w.send(tagAck, func(b []byte) []byte { return append(b, proof[:]...) }); err != nil {
		return Node{}, transport.Cookie{}, err
	}
	return peer, cookie, nil
}

// awaitName reads who dials, and sends away whom no decision can help.
func (w wire) awaitName(own string) (Node, error) {
	b, err := w.receive(tagName)
	if err != nil {
		return Node{}, err
	}
	peer, err := parseName(b)
	if err != nil {
		return Node{}, err
	}
	bad := CheckName(peer.Name)
	if bad == nil && peer.Name == own {
		bad = errors.New("it is our own")
	}
	if bad != nil {
		_ = w.sendStatus("nok") // the handshake is over, sent or not
		return Node{}, fmt.Errorf("%w: %w", transport.ErrName, bad)
	}
	if err := checkFlags(peer.Flags); err != nil {
		_ = w.sendStatus("not_allowed")
		return Node{}, fmt.Errorf("%s: %w", peer.Name, err)
	}
	return peer, nil
}

// answer sends the status. It returns nil if the handshake goes on.
func (w wire) answer(d Decision) error {
	if d > Alive {
		return fmt.Errorf("decide: no status for %s", d)
	}
	if err := w.sendStatus(d.String()); err != nil {
		return err
	}
	switch d {
	case Nok:
		return ErrNok
	case Alive:
		text, err := w.receive(tagStatus)
		if err != nil {
			return err
		}
		if string(text) != "true" {
			return ErrStays
		}
	}
	return nil
}

// challenge has the peer prove that it knows a cookie. It returns which, and the
// peer's own challenge.
func (w wire) challenge(o AcceptOptions, peer string, ours uint32) (transport.Cookie, uint32, error) {
	if err := w.send(tagName, hello{node: o.Local, challenge: ours}.appendChallenge); err != nil {
		return transport.Cookie{}, 0, err
	}
	b, err := w.receive(tagReply)
	if err != nil {
		return transport.Cookie{}, 0, err
	}
	if len(b) != 4+digestLen {
		return transport.Cookie{}, 0, fmt.Errorf("%w: reply of %d bytes", transport.ErrProtocol, len(b))
	}
	cookie, ok := known(b[4:], o.Cookies(peer), ours)
	if !ok {
		return transport.Cookie{}, 0, fmt.Errorf("%w: the digest of %s is wrong", transport.ErrCookie, peer)
	}
	return cookie, binary.BigEndian.Uint32(b), nil
}

// known finds the cookie that a digest proves. It compares them all, so that the
// time tells nothing of which it was.
func known(proof []byte, cookies []transport.Cookie, challenge uint32) (found transport.Cookie, ok bool) {
	for _, c := range cookies {
		if proves(proof, c, challenge) && !ok {
			found, ok = c, true
		}
	}
	return found, ok
}
