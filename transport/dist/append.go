package dist

import (
	"encoding/binary"
	"errors"

	"ehc/transport/etf"
)

// Why a builder gives no frame: a peer that got it would close the connection.
var (
	// ErrStale says that the exit signal or the unlink of a link is for a pid of a
	// former incarnation of the peer. There is nobody to get it.
	ErrStale = errors.New("pid of a former incarnation")
	// ErrUnlinkID says that an unlink has the id 0.
	ErrUnlinkID = errors.New("unlink id 0")
)

const (
	prefixLen     = 4
	smallTuple    = 104
	smallInt      = 97
	frameCapacity = 512 // room for the control message and a small payload
)

// begin starts a frame in b's memory: room for the length, and the head of a
// control tuple of n elements.
func begin(b []byte, op Op, n byte) []byte {
	if b == nil {
		b = make([]byte, 0, frameCapacity)
	}
	return append(b[:0], 0, 0, 0, 0, passThrough, version, smallTuple, n, smallInt, byte(op))
}

// Seal completes a frame: it writes the length into the room that a builder left
// for it. It returns the same frame, for the caller's convenience, and may be
// called again after more was appended.
func Seal(frame []byte) []byte {
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-prefixLen))
	return frame
}

// Tick returns a frame that says no more than that we are alive. It is sealed.
func Tick() []byte { return make([]byte, prefixLen) }

// name appends a name that has not come from a peer.
func name(b []byte, n etf.Atom) ([]byte, error) {
	if err := etf.CheckAtom(n); err != nil {
		return nil, err
	}
	return etf.AppendAtom(b, n), nil
}
