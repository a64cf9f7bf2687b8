package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ehc/state"
	"ehc/state/disk"
)

// Box is the queues of all apps. All its methods may be called at once. It has
// nothing to close: the store is closed by who opened it.
type Box struct {
	db    *disk.DB
	ids   *mint
	order atomic.Uint64    // of row states, counted by the committing goroutine
	found map[string]tally // of the dead letters that Open has counted

	mu       sync.Mutex
	limits   state.OutboxSpec
	queues   map[string]*queue
	moves    map[string]*moves
	onChange func(app string, pending int)
	onEvents func(Change)
}

// Stat is how one app's queue stands.
type Stat struct {
	App     string
	Pending int
	Dead    int       // dead letters
	Bytes   int64     // of the payloads that wait
	Oldest  time.Time // when the first that waits was inserted; zero if none waits
	// Damage is what was last found wrong with the rows; nil if nothing was. It
	// is looked for by Open and by every read, and goes with Drop.
	Damage *DamageError
}

// Open takes up the queues as the store has them. It reads each app's counters
// and its first and last number, and counts its dead letters; it does not read
// the events. Damage does not fail it: the
// app's Stat tells of it, and its methods do.
func Open(ctx context.Context, db *disk.DB, limits state.OutboxSpec) (*Box, error) {
	b := &Box{db: db, ids: newMint(), limits: limits, queues: map[string]*queue{}, moves: map[string]*moves{}, found: map[string]tally{}}
	err := db.View(ctx, func(tx *disk.Tx) error {
		apps, err := appsOf(tx)
		if err != nil {
			return err
		}
		for _, app := range apps {
			r, _, err := load(tx, app)
			if err == nil {
				err = r.verify(tx, app)
			}
			q := &queue{row: r}
			if err != nil && !errors.As(err, &q.damage) {
				return err
			}
			if b.found[app], err = count(tx, allLetters, app); err != nil {
				return err
			}
			q.dead.letters = b.found[app].letters
			q.told = step(r.pending())
			b.queues[app] = q
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	return b, nil
}

// appsOf lists the apps that have counters, or rows whose counters are gone.
func appsOf(tx *disk.Tx) ([]string, error) {
	apps := map[string]bool{}
	for _, query := range []string{
		"SELECT min(app) FROM outbox_app WHERE app > ?",
		"SELECT min(app) FROM outbox_event WHERE app > ?", // a seek, not a scan of the events
		"SELECT min(app) FROM outbox_dead WHERE app > ?",
	} {
		for app := ""; ; apps[app] = true {
			var next *string
			if err := tx.QueryRow(query, app).Scan(&next); err != nil {
				return nil, fmt.Errorf("list apps: %w", err)
			}
			if next == nil {
				break
			}
			app = *next
		}
	}
	return slices.Sorted(maps.Keys(apps)), nil
}

// MintID returns a new id for an event: a ULID of that time, greater than any
// that this Box has minted. A caller that may have to enqueue again mints
// first and uses the id for every try.
func (b *Box) MintID(now time.Time) string { return b.ids.id(now) }

// SetLimits bounds each app's queue from now on. What waits beyond a new limit
// stays; a limit of zero refuses everything.
func (b *Box) SetLimits(limits state.OutboxSpec) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits = limits
}

func (b *Box) maxima() state.OutboxSpec {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limits
}

// Stats returns each app that ever had an event, ordered by name. It reads
// memory only, and may lag behind a call that has not returned.
func (b *Box) Stats() []Stat {
	b.mu.Lock()
	defer b.mu.Unlock()
	stats := make([]Stat, 0, len(b.queues))
	for app, q := range b.queues {
		stats = append(stats, Stat{
			App: app, Pending: q.row.pending(), Dead: q.dead.letters, Bytes: q.row.bytes, Oldest: q.row.oldest(), Damage: q.damage,
		})
	}
	slices.SortFunc(stats, func(x, y Stat) int { return cmp.Compare(x.App, y.App) })
	return stats
}
