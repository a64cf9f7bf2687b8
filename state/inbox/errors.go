package inbox

import (
	"errors"
	"fmt"
)

// What callers branch on, by errors.Is.
var (
	// ErrInvalid says that an event breaks a rule or a limit, or would make its
	// counter overflow: it can never be handled.
	ErrInvalid = errors.New("invalid event")
	// ErrTooMany says that an event needs one more counter or source than there
	// may be.
	ErrTooMany = errors.New("too many")
)

// DamageError says that a row is not what was written. See the package comment
// for what that stops.
type DamageError struct {
	Row  string // such as `counter visits of "/blog"`
	What string // such as "checksum does not match"
}

// Error names the row and what is wrong with it.
func (e *DamageError) Error() string { return fmt.Sprintf("inbox is damaged: %s: %s", e.Row, e.What) }
