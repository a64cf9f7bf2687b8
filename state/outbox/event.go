package outbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"
	"unicode/utf8"

	"ehc/state"
)

// Limits of an event and of a call. What exceeds one is ErrInvalid.
const (
	MaxApps      = 1024    // that have ever had an event
	MaxApp       = 255     // bytes of an app's name
	MaxID        = 128     // bytes of an id
	MaxType      = 255     // bytes of a type
	MaxPayload   = 1 << 20 // bytes of one payload
	MaxCall      = 1000    // events in one Enqueue, Head or List
	MaxCallBytes = 8 << 20 // bytes of payloads in one of them
	MaxWhy       = 1024    // bytes kept of a failure's reason
)

// New is an event to enqueue.
type New struct {
	App string
	ID  string // minted if empty
	// Minted says that ID is fresh from MintID: no need to look whether it has
	// been delivered, or is a dead letter.
	Minted bool
	Type   string
	// Payload is a JSON object, kept byte by byte.
	Payload json.RawMessage
	// InsertedAt is the time of Enqueue if zero. It orders nothing.
	InsertedAt time.Time
}

// Event is an event that waits for its app, or that has just been enqueued.
type Event struct {
	App        string
	Seq        uint64 // 1 is the app's first event ever
	ID         string
	Type       string
	Payload    json.RawMessage
	InsertedAt time.Time // UTC
	Tries      int       // deliveries that failed
	LastError  string    // why the last of them did
}

// fresh says whether the id cannot have been seen before.
func (n New) fresh() bool { return n.Minted || n.ID == "" }

// event checks n and makes it an event without a Seq.
func (n New) event(now time.Time, mint func(time.Time) string) (Event, error) {
	if n.InsertedAt.IsZero() {
		n.InsertedAt = now
	}
	if n.ID == "" {
		n.ID = mint(now)
	}
	e := Event{App: n.App, ID: n.ID, Type: n.Type, Payload: n.Payload, InsertedAt: n.InsertedAt.Round(0).UTC()}
	return e, e.check()
}

func (e Event) check() error {
	for _, f := range []struct {
		name, text string
		most       int
	}{{"app", e.App, MaxApp}, {"id", e.ID, MaxID}, {"type", e.Type, MaxType}} {
		if err := state.CheckWord(f.text, f.most); err != nil {
			return fmt.Errorf("%w: %s %w", ErrInvalid, f.name, err)
		}
	}
	if len(e.Payload) > MaxPayload {
		return fmt.Errorf("%w: payload of %d bytes: at most %d", ErrInvalid, len(e.Payload), MaxPayload)
	}
	if !isObject(e.Payload) {
		return fmt.Errorf("%w: payload is not a JSON object", ErrInvalid)
	}
	// What fits the nanoseconds of the row.
	if y := e.InsertedAt.Year(); y < 1970 || y > 2261 {
		return fmt.Errorf("%w: inserted in the year %d", ErrInvalid, y)
	}
	return nil
}

func isObject(text []byte) bool {
	if !json.Valid(text) || !utf8.Valid(text) {
		return false
	}
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}

// crc is the checksum of the event's row, over these bytes (big-endian):
//
//	bytes  field            bytes  field
//	2      length of app    2      length of type
//	…      app              …      type
//	8      seq              8      inserted_at, ns since 1970
//	2      length of id     4      length of payload
//	…      id               …      payload
func (e Event) crc() uint32 {
	b := make([]byte, 0, 26+len(e.App)+len(e.ID)+len(e.Type))
	b = appendWord(b, e.App)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = appendWord(b, e.ID)
	b = appendWord(b, e.Type)
	b = binary.BigEndian.AppendUint64(b, uint64(e.InsertedAt.UnixNano()))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Payload)))
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(b, table), table, e.Payload)
}

func appendWord(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
