package disk

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// TestViewsGoOnAfterOthersThatWereCutOff, at any moment, as they begin too.
func TestViewsGoOnAfterOthersThatWereCutOff(t *testing.T) {
	db := openTest(t, t.TempDir())
	view := func(ctx context.Context) error {
		return db.View(ctx, func(tx *Tx) error {
			var n int
			return tx.QueryRow("SELECT 1").Scan(&n)
		})
	}
	var cuts sync.WaitGroup
	for range 5000 {
		ctx, cancel := context.WithCancel(t.Context())
		cuts.Go(cancel)
		if err := view(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cuts.Wait()
	}
	for range 2 * readers {
		must(t, view(t.Context()))
	}
}
