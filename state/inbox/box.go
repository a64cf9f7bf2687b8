package inbox

import (
	"sync"

	"ehc/state"
	"ehc/state/disk"
)

// pruneEvery is after how many new events old ids are forgotten.
const pruneEvery = 64

// Box is the inbox. All its methods may be called at once. It has nothing to
// close: the store is closed by who opened it.
type Box struct {
	db    *disk.DB
	every int // pruneEvery
	since int // new events since ids were last forgotten; the committing goroutine's

	mu     sync.Mutex
	limits state.InboxSpec
}

// New returns the inbox that the store has. It reads nothing.
func New(db *disk.DB, limits state.InboxSpec) *Box {
	return &Box{db: db, every: pruneEvery, limits: limits}
}

// SetLimits says how long ids are remembered from now on. Those beyond a limit
// are forgotten as new events come, 64 of them at a time and at most two for each
// new event: so there may be some more, and without new events none goes.
func (b *Box) SetLimits(limits state.InboxSpec) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits = limits
}

func (b *Box) maxima() state.InboxSpec {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limits
}
