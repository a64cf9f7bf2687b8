package inbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ehc/state"
)

func TestADamagedRowStopsWhatNeedsIt(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		harm    string
		event   Event // is refused
		counter bool  // and so is the count of its counter
		other   Event // is not
	}{
		"a counter's value": {"UPDATE inbox_count SET value = value + 1 WHERE key = '/blog'",
			visit("new", "/blog", 1), true, visit("other", "/other", 1)},
		"a counter's key": {"UPDATE inbox_count SET key = '/blöd' WHERE key = '/blog'",
			visit("new", "/blöd", 1), true, visit("other", "/other", 1)},
		"a checksum out of range": {"UPDATE inbox_count SET crc = -1 WHERE key = '/blog'",
			visit("new", "/blog", 1), true, visit("other", "/other", 1)},
		"an id's time": {"UPDATE inbox_event SET at = at - 1 WHERE id = 'old'",
			visit("old", "/blog", 1), false, visit("other", "/blog", 1)},
		"an id's number": {"UPDATE inbox_event SET seq = -1 WHERE id = 'old'",
			visit("old", "/blog", 1), false, visit("other", "/blog", 1)},
		"a source": {"UPDATE inbox_source SET seq = 7",
			placed(9), false, visit("other", "/blog", 1)},
		"a source out of range": {"UPDATE inbox_source SET epoch = -7",
			placed(9), false, visit("other", "/blog", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b, close := openTest(t, dir, roomy)
			handleTest(t, b, visit("old", "/blog", 3))
			handleTest(t, b, placed(1))
			harm(t, b, c.harm)
			close()
			b, _ = openTest(t, dir, roomy)
			var d *DamageError
			before := ids(t, b)
			if fresh, err := b.Handle(ctx, c.event); fresh || !errors.As(err, &d) {
				t.Errorf("%v, %v, want a *DamageError", fresh, err)
			}
			if ids(t, b) != before {
				t.Error("the refused event is remembered")
			}
			if _, err := b.Count(ctx, "visits", c.event.Key); c.counter != errors.As(err, &d) {
				t.Errorf("count: %v", err)
			}
			if _, _, err := b.Counts(ctx, "", 0); c.counter != errors.As(err, &d) {
				t.Errorf("counts: %v", err)
			}
			if !handleTest(t, b, c.other) {
				t.Error("another event is held up")
			}
			r, err := b.HandleAll(ctx, []Event{c.other, c.event})
			if r.Handled != 1 || !errors.As(err, &d) {
				t.Errorf("in a batch: %d handled, %v", r.Handled, err)
			}
		})
	}
}

// A replay needs its counter no more.
func TestAReplayToADamagedCounterIsKnown(t *testing.T) {
	b := newTest(t)
	handleTest(t, b, visit("old", "/blog", 3))
	harm(t, b, "UPDATE inbox_count SET value = 4")
	if handleTest(t, b, visit("old", "/blog", 3)) {
		t.Error("it is new")
	}
}

func TestADamagedIDIsForgottenWithTheOthersAndSaysNothing(t *testing.T) {
	ctx := context.Background()
	b, _ := openTest(t, t.TempDir(), state.InboxSpec{KeepFor: time.Hour, MaxIDs: 100})
	quick(b)
	for seq := range uint64(4) {
		handleTest(t, b, placed(seq+1))
	}
	harm(t, b, "UPDATE inbox_event SET seq = 1000 WHERE id = 'a2'")
	old := ids(t, b)
	r, err := b.HandleAll(ctx, []Event{placed(5)})
	must(t, err)
	if r.Damage != nil || ids(t, b) != old+1 {
		t.Errorf("before its time: %v, %d ids", r.Damage, ids(t, b))
	}
	b.SetLimits(state.InboxSpec{KeepFor: time.Hour, MaxIDs: 2})
	var found *DamageError
	for seq := range uint64(6) {
		r, err := b.HandleAll(ctx, []Event{placed(seq + 6)})
		must(t, err)
		if r.Damage != nil {
			found = r.Damage
		}
	}
	if found == nil || ids(t, b) != 2 {
		t.Errorf("damage %v, %d ids, want 2", found, ids(t, b))
	}
	if fresh := handleTest(t, b, placed(1)); fresh {
		t.Error("what was forgotten before the damage is counted again")
	}
	if fresh := handleTest(t, b, placed(500)); !fresh {
		t.Error("a damaged number swallows new events")
	}
}

func TestABitFlippedInTheFileIsReported(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	b, close := openTest(t, dir, roomy)
	handleTest(t, b, visit("one", "NEEDLE", 1))
	close()
	path := filepath.Join(dir, "ehc.db")
	text, err := os.ReadFile(path)
	must(t, err)
	flipped := 0
	for at := range text {
		if bytes.HasPrefix(text[at:], []byte("NEEDLE")) { // in the table, and in its index
			text[at] ^= 1
			flipped++
		}
	}
	must(t, os.WriteFile(path, text, 0o600))
	b, _ = openTest(t, dir, roomy)
	var d *DamageError
	if _, _, err := b.Counts(ctx, "", 0); flipped == 0 || !errors.As(err, &d) {
		t.Errorf("flipped %d, %v, want a *DamageError", flipped, err)
	}
}
