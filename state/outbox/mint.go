package outbox

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// mint makes ids: ULIDs, each greater than the one before, even if the clock
// goes back.
type mint struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
	last    uint64 // milliseconds of the newest id
}

func newMint() *mint { return &mint{entropy: ulid.Monotonic(rand.Reader, 0)} }

func (m *mint) id(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ms := now.UnixMilli(); ms > 0 {
		m.last = max(m.last, min(uint64(ms), ulid.MaxTime()))
	}
	for {
		id, err := ulid.New(m.last, m.entropy)
		if err == nil {
			return id.String()
		}
		m.last++ // the random part has run over within this millisecond
	}
}
