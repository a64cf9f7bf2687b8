package disk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
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

// TestTheLogStaysShortWhileViewsOverlap: each View ends only when the next has begun, so
// there is always one that reads.
func TestTheLogStaysShortWhileViewsOverlap(t *testing.T) {
	dir := t.TempDir()
	db := openTest(t, dir)
	db.committer.restart = 5 * time.Minute // a busy machine takes its time between two Views
	must(t, db.Write(t.Context(), put("k", "v")))
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		end := func() {}
		for {
			next := viewUntil(t, db)
			end()
			end = next
			select {
			case <-stop:
				end()
				return
			default:
			}
		}
	}()
	for i := range 120 { // often enough that the log does not begin anew by chance
		value := strings.Repeat(fmt.Sprintf("%8d", i), 1<<17)
		must(t, db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("UPDATE kv SET v = ?", []byte(value))
			return err
		}))
		if _, log := sizesOf(t, dir); log > 3*ballastSize {
			t.Errorf("after %d writes the log has %d bytes", i+1, log)
			break
		}
	}
	close(stop)
	<-over
}

// viewUntil returns once a View reads, which goes on until end is called.
func viewUntil(t *testing.T, db *DB) (end func()) {
	begun, ends, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.View(context.Background(), func(tx *Tx) error {
			var n int
			err := tx.QueryRow("SELECT count(*) FROM kv").Scan(&n)
			close(begun)
			<-ends
			return err
		})
	}()
	select {
	case <-begun:
	case err := <-ended:
		t.Error(err)
		return func() {}
	}
	return func() {
		close(ends)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
