package outbox

import (
	"errors"
	"fmt"
)

// What callers branch on, by errors.Is.
var (
	// ErrInvalid says that an event or an argument breaks a rule or a limit.
	ErrInvalid = errors.New("invalid event")
	// ErrNotWaiting says that no event of that number waits: it is delivered or
	// dropped, or there has never been one.
	ErrNotWaiting = errors.New("no such event waits")
	// ErrDropped says that a person took the event out of the queue undelivered.
	ErrDropped = errors.New("event was dropped")
	// ErrDead says that the event went to the dead letters undelivered.
	ErrDead = errors.New("event is a dead letter")
)

// FullError says that an app's queue has no room for a call's events. None of
// them, for whichever app, has been enqueued.
type FullError struct {
	App       string
	Events    int // that wait
	MaxEvents int
	Bytes     int64 // of their payloads
	MaxBytes  int64
}

// Error gives both limits and how much of each is used.
func (e *FullError) Error() string {
	return fmt.Sprintf("outbox of %s is full: %d of %d events, %d of %d bytes",
		e.App, e.Events, e.MaxEvents, e.Bytes, e.MaxBytes)
}

// DeadFullError says that an app has no room for another dead letter: the event
// that was to become one still waits, and what is behind it, too.
type DeadFullError struct {
	App      string
	Letters  int // that there are
	MaxDead  int
	MaxBytes int64 // of their payloads
}

// Error gives the number of letters and both limits.
func (e *DeadFullError) Error() string {
	return fmt.Sprintf("no room for another dead letter of %s: there are %d of at most %d, with at most %d bytes",
		e.App, e.Letters, e.MaxDead, e.MaxBytes)
}

// DamageError says that an app's rows are not what was written. The queue stands
// still there until someone drops the damaged part: see [Box.Drop].
type DamageError struct {
	App  string
	Seq  uint64 // the event; 0: the app's counters
	Dead bool   // it is a dead letter, and the queue is not affected
	What string // such as "checksum does not match"
}

// Error names the event, or the counters, and what is wrong.
func (e *DamageError) Error() string {
	if e.Dead {
		return fmt.Sprintf("dead letter %d of %s is damaged: %s", e.Seq, e.App, e.What)
	}
	if e.Seq == 0 {
		return fmt.Sprintf("outbox of %s is damaged: counters: %s", e.App, e.What)
	}
	return fmt.Sprintf("outbox of %s is damaged: event %d: %s", e.App, e.Seq, e.What)
}
