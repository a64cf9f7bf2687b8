package inbox

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"time"

	"ehc/state"
)

// Limits of an event, of a call and of the whole. What exceeds one of an event's
// or of a call's is ErrInvalid; one more counter or source is ErrTooMany.
const (
	MaxID       = 128       // bytes of an id
	MaxName     = 255       // bytes of a counter's name
	MaxKey      = 1024      // bytes of its key
	MaxSource   = 255       // bytes of a source
	MaxCall     = 1000      // events in one HandleAll, counters in one Counts
	MaxCounters = 1_000_000 // that have ever been changed
	MaxSources  = 4096      // that have ever sent an event
)

// Event is one event to handle, as far as it concerns the inbox. All texts are
// printable UTF-8.
type Event struct {
	// ID is the event's own, the same in every try.
	ID string
	// Name and Key say which counter it changes. The name has no colon.
	Name, Key string
	// Delta is what it adds to the counter. It may be negative, or 0.
	Delta int64
	// Source is who sent the event, and Place where it stands there. An empty
	// Source says that the sender does not tell; Place is then left alone.
	Source string
	Place  Place
	// At is when the event came. Ids are forgotten by it.
	At time.Time
}

// Place is where an event stands in the order of its source: by Epoch, then by
// Seq, of which the first is 1. Both are below 2⁶³.
type Place struct{ Epoch, Seq uint64 }

func (p Place) beyond(q Place) bool {
	return p.Epoch > q.Epoch || p.Epoch == q.Epoch && p.Seq > q.Seq
}

func (e Event) check() error {
	for _, f := range []struct {
		name, text string
		most       int
	}{{"id", e.ID, MaxID}, {"counter", e.Name, MaxName}, {"key", e.Key, MaxKey}, {"source", e.Source, MaxSource}} {
		if f.name == "source" && f.text == "" {
			continue
		}
		if err := state.CheckWord(f.text, f.most); err != nil {
			return fmt.Errorf("%w: %s %w", ErrInvalid, f.name, err)
		}
	}
	if strings.ContainsRune(e.Name, ':') {
		return fmt.Errorf("%w: counter %q has a colon", ErrInvalid, e.Name)
	}
	if e.Source != "" && e.Place.Seq == 0 {
		return fmt.Errorf("%w: number 0 of source %q: the first is 1", ErrInvalid, e.Source)
	}
	if e.Place.Epoch > math.MaxInt64 || e.Place.Seq > math.MaxInt64 {
		return fmt.Errorf("%w: epoch or number too large", ErrInvalid)
	}
	// What fits the nanoseconds of the row.
	if y := e.At.Year(); y < 1970 || y > 2261 {
		return fmt.Errorf("%w: came in the year %d", ErrInvalid, y)
	}
	return nil
}

// crc is the checksum of the event's row, over these bytes (big-endian):
//
//	bytes  field             bytes  field
//	2      length of id      8      epoch
//	…      id                8      seq
//	2      length of source  8      at, ns since 1970
//	…      source
func (e Event) crc() uint32 {
	return checksum([]string{e.ID, e.Source}, e.Place.Epoch, e.Place.Seq, uint64(e.At.UnixNano()))
}

// checksum is the CRC-32C of words, each after its length in 2 bytes, and of
// numbers of 8 bytes.
func checksum(words []string, numbers ...uint64) uint32 {
	b := make([]byte, 0, 256)
	for _, w := range words {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(w))), w...)
	}
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}
