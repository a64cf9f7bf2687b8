package etf

import (
	"errors"
	"fmt"
)

// Causes that a caller may want to tell apart. They are wrapped in a
// SyntaxError, ErrRecord and ErrKeyTwice in a ValueError,
// ErrDepth in both.
var (
	// ErrTruncated says that the input ends inside a term.
	ErrTruncated = errors.New("input ends inside a term")
	// ErrTrailing says that something stands after the only term.
	ErrTrailing = errors.New("bytes after the term")
	// ErrDepth says that containers are nested deeper than allowed.
	ErrDepth = errors.New("nested too deeply")
	// ErrTag says that a tag is not known, or not of the type asked for.
	ErrTag = errors.New("unexpected tag")
	// ErrCompressed says that a term is compressed, which nodes do not accept
	// between each other either.
	ErrCompressed = errors.New("compressed term")
	// ErrLocal says that a term has the local form, which only the node that
	// wrote it understands.
	ErrLocal = errors.New("local form of a term")
	// ErrKeyTwice says that a map has one key twice. A Decoder does not look for
	// that, so it is the one thing that it may give and Append refuses.
	ErrKeyTwice = errors.New("key twice in a map")
	// ErrRecord says that a term has a native record in it, for a peer that takes
	// none.
	ErrRecord = errors.New("native record for a peer that takes none")
	// ErrCacheRef says that an atom is given by its place in an atom cache, and
	// that nothing is there or the connection has none.
	ErrCacheRef = errors.New("atom cache reference")
)

// SyntaxError says what is wrong with bytes that should be a term. The peer
// that sent them cannot be relied on to be in step any longer.
type SyntaxError struct {
	// Offset counts from the start of the bytes given to the function that
	// returned the error.
	Offset int
	// What says what was found, without any text from the peer.
	What string
	// Cause is one of the causes of this package, or nil if the bytes are
	// simply wrong.
	Cause error
}

// Error returns the offset and what was found there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("decode term at byte %d: %s", e.Offset, e.What)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Cause }

// ValueError says which Go value cannot be sent as a term, and why. A peer
// would have closed the connection because of it.
type ValueError struct {
	// What names the value and what is wrong with it.
	What string
	// Cause is ErrDepth, ErrRecord, ErrKeyTwice, for a Raw or an Opaque one of the others, or nil.
	Cause error
}

// Error returns What.
func (e *ValueError) Error() string { return "encode " + e.What }

// Unwrap returns the cause.
func (e *ValueError) Unwrap() error { return e.Cause }

// badValue makes a ValueError.
func badValue(format string, args ...any) error {
	return &ValueError{What: fmt.Sprintf(format, args...)}
}
