package outbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"ehc/state/disk"
)

// TestDropsGoStepByStep: as many small commits as the rows need, and one outcome.
func TestDropsGoStepByStep(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct{ name, damage string }{
		{"whole", ""},
		{"counters damaged", "UPDATE outbox_app SET head_seq = head_seq + 1"},
		{"events missing", "DELETE FROM outbox_event WHERE seq IN (2, 900, 1500)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := roomy
			limits.MaxAge, limits.MaxDead = time.Hour, 5000
			b, _ := openTest(t, t.TempDir(), limits)
			enqueue(t, b, "a", 2*dropAtOnce+500)
			want, commits := 2*dropAtOnce+400, 0
			if tt.damage != "" {
				must(t, b.db.Write(ctx, func(tx *disk.Tx) error {
					n, err := tx.Exec(tt.damage)
					if n == 3 {
						want -= 3
					}
					return err
				}))
			}
			b.OnEvents(func(c Change) {
				if commits++; c.What != Dropped || c.Events > dropAtOnce {
					t.Errorf("a step: %+v", c)
				}
			})
			n, err := b.Drop(ctx, "a", uint64(2*dropAtOnce+400))
			must(t, err)
			if left := head(t, b, "a", MaxCall); n != want || commits != 3 || len(left) != 100 || b.Stats()[0].Pending != 100 || b.Stats()[0].Damage != nil {
				t.Errorf("%d dropped in %d steps, %d are left: %+v", n, commits, len(left), b.Stats()[0])
			}
			for _, seq := range []uint64{1, dropAtOnce, dropAtOnce + 1, 2*dropAtOnce + 400} {
				if err := b.Wait(ctx, "a", seq); !errors.Is(err, ErrDropped) {
					t.Errorf("event %d: %v, want ErrDropped", seq, err)
				}
			}
		})
	}
	t.Run("dead letters", func(t *testing.T) {
		limits := roomy
		limits.MaxAge, limits.MaxDead = time.Hour, 5000
		b, _ := openTest(t, t.TempDir(), limits)
		enqueue(t, b, "a", 2*dropAtOnce+500)
		_, _, err := b.Expire(ctx, "a", time.Now().Add(2*time.Hour))
		must(t, err)
		var steps []int
		b.OnEvents(func(c Change) { steps = append(steps, c.Events) })
		n, err := b.DropDead(ctx, "a", nil)
		must(t, err)
		if n != 2*dropAtOnce+500 || fmt.Sprint(steps) != fmt.Sprint([]int{dropAtOnce, dropAtOnce, 500}) || b.Stats()[0].Dead != 0 {
			t.Errorf("%d dropped, in steps of %v: %+v", n, steps, b.Stats()[0])
		}
	})
}
