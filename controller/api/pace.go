package api

import (
	"net/http"
	"time"
)

// pace is how long the requests of a route last.
type pace uint8

const (
	brief     pace = iota // answered as soon as it is worked out
	waiting               // answered when something has happened, or after maxWait
	streaming             // answered bit by bit for as long as both ends like
	feeding               // read and answered bit by bit: each holds maxLine bytes
)

// atOnce is how many requests of a pace may be under way.
func (p pace) atOnce() int {
	switch p {
	case waiting:
		return 1024
	case streaming:
		return 4096
	case feeding:
		return 64
	}
	return 256
}

// limit is how long an answer may take to work out; 0: as long as it likes.
func (p pace) limit() time.Duration {
	switch p {
	case waiting:
		return maxWait
	case streaming, feeding:
		return 0
	}
	return briefLimit
}

// extend lets an answer come as late as the pace allows. A stream sees to its own
// deadlines, and the server's do for what is brief.
func (p pace) extend(w http.ResponseWriter) {
	if p == waiting {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxWait + writeLimit)) // every connection of ours takes it
	}
}
