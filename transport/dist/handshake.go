package dist

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strconv"

	"ehc/transport"
)

// The handshake. A dials, B accepts; each message has its length before it, in
// two bytes, or four over TLS.
//
//	     A                                   B
//	     │ 'N' flags u64 creation u32 name ─▶│ name well formed? flags enough?
//	     │                                   │ Decide
//	┌────│◀─ 's' status                      │
//	│    │
//	│    ├─ not_allowed ─▶ ErrFlags          B closes
//	│    ├─ nok ─────────▶ ErrYielded        B closes
//	│    ├─ alive ── 's' "true" ────────────▶│ ("false", if Keep says so: ErrYielded,
//	│    │                                   │   and B closes)
//	│    ├─ ok_simultaneous                  │
//	└─ok─┤                                   │
//	     │◀─ 'N' flags u64 challenge u32 creation u32 name
//	     │ name as wanted? else ErrName      │
//	     │ flags enough? else ErrFlags       │
//	     │ 'r' challenge u32 digest[16] ────▶│ digest of a cookie? else B closes,
//	     │                                   │   which A takes for ErrCookie
//	     │                                   │ Admit
//	     │◀───────────────── 'a' digest[16]  │
//	     │ digest right? else ErrCookie      │
//	    up                                   up
//
// A name is nlen u16 and its bytes. A digest is the MD5 of the cookie and of the
// other's challenge in decimal.
const (
	tagName   = 'N' // challenge messages have it too
	tagStatus = 's'
	tagReply  = 'r'
	tagAck    = 'a'
)

const digestLen = md5.Size

// hello is a name message, or a challenge message if it carries a challenge.
type hello struct {
	node      Node
	challenge uint32
}

// appendName appends
//
//	flags u64 | creation u32 | nlen u16 | name
func (h hello) appendName(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(h.node.Flags))
	return h.appendWho(b)
}

// appendChallenge appends
//
//	flags u64 | challenge u32 | creation u32 | nlen u16 | name
func (h hello) appendChallenge(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(h.node.Flags))
	b = binary.BigEndian.AppendUint32(b, h.challenge)
	return h.appendWho(b)
}

func (h hello) appendWho(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.node.Creation)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.node.Name)))
	return append(b, h.node.Name...)
}

// parseName reads what appendName writes; more may follow.
func parseName(b []byte) (Node, error) {
	const fixed = 8 + 4 + 2
	if len(b) < fixed || len(b) < fixed+int(binary.BigEndian.Uint16(b[12:])) {
		return Node{}, fmt.Errorf("%w: name message of %d bytes", transport.ErrProtocol, len(b))
	}
	return Node{
		Name:     string(b[fixed : fixed+int(binary.BigEndian.Uint16(b[12:]))]),
		Creation: binary.BigEndian.Uint32(b[8:]),
		Flags:    Flags(binary.BigEndian.Uint64(b)),
	}, nil
}

// parseChallenge reads what appendChallenge writes; more may follow.
func parseChallenge(b []byte) (hello, error) {
	if len(b) < 12 {
		return hello{}, fmt.Errorf("%w: challenge message of %d bytes", transport.ErrProtocol, len(b))
	}
	rest := append(append(make([]byte, 0, len(b)-4), b[:8]...), b[12:]...)
	n, err := parseName(rest)
	return hello{node: n, challenge: binary.BigEndian.Uint32(b[8:])}, err
}

// checkFlags returns an error that names what a peer lacks.
func checkFlags(peer Flags) error {
	if missing := Missing(peer); missing != 0 {
		return fmt.Errorf("%w: the peer lacks %s", transport.ErrFlags, missing)
	}
	return nil
}

// digest proves that whoever sends it knows the cookie.
func digest(c transport.Cookie, challenge uint32) [digestLen]byte {
	return md5.Sum(strconv.AppendUint([]byte(c.Reveal()), uint64(challenge), 10))
}

// proves compares in a time that does not depend on what got is. An empty cookie
// proves nothing.
func proves(got []byte, c transport.Cookie, challenge uint32) bool {
	want := digest(c, challenge)
	return subtle.ConstantTimeCompare(got, want[:]) == 1 && c != transport.Cookie{}
}

// newChallenge is a number that nobody can foresee, fresh for each handshake.
func newChallenge() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
