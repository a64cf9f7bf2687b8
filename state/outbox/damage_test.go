package outbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/state/disk"
)

func TestDamageIsReportedAndStopsTheQueue(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		harm    string
		seq     uint64 // where it is reported
		before  int    // events that Head still returns
		atOpen  bool   // without any Head
		through uint64 // to drop
		after   int    // events that are left then
	}{
		"a payload":                 {"UPDATE outbox_event SET payload = x'7b207d' WHERE app = 'a' AND seq = 3", 3, 2, false, 3, 2},
		"an id":                     {"UPDATE outbox_event SET id = 'x' WHERE app = 'a' AND seq = 1", 1, 0, false, 1, 4},
		"a type":                    {"UPDATE outbox_event SET type = 'x' WHERE app = 'a' AND seq = 5", 5, 4, false, 5, 0},
		"a time":                    {"UPDATE outbox_event SET inserted_at = inserted_at + 1 WHERE app = 'a' AND seq = 2", 2, 1, false, 2, 3},
		"a checksum out of range":   {"UPDATE outbox_event SET crc = -1 WHERE app = 'a' AND seq = 2", 2, 1, false, 2, 3},
		"an event that moved":       {"UPDATE outbox_event SET app = 'b', seq = 6 WHERE app = 'a' AND seq = 5", 5, 4, true, 5, 0},
		"the first is gone":         {"DELETE FROM outbox_event WHERE app = 'a' AND seq = 1", 1, 0, true, 1, 4},
		"one in the middle is gone": {"DELETE FROM outbox_event WHERE app = 'a' AND seq IN (3, 4)", 3, 2, false, 2, 1},
		"the last is gone":          {"DELETE FROM outbox_event WHERE app = 'a' AND seq = 5", 5, 4, true, 5, 0},
		"all are gone":              {"DELETE FROM outbox_event WHERE app = 'a'", 1, 0, true, 5, 0},
		"the counter of the next":   {"UPDATE outbox_app SET next_seq = 7 WHERE app = 'a'", 0, 0, true, 0, 5},
		"the counter of bytes":      {"UPDATE outbox_app SET bytes = 7 WHERE app = 'a'", 0, 0, true, 0, 5},
		"a counter out of range":    {"UPDATE outbox_app SET head_seq = -7 WHERE app = 'a'", 0, 0, true, 0, 5},
		"the counters are gone":     {"DELETE FROM outbox_app WHERE app = 'a'", 0, 0, true, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b, close := openTest(t, dir, roomy)
			events := enqueue(t, b, "a", 5)
			enqueue(t, b, "b", 1)
			must(t, b.db.Write(ctx, func(tx *disk.Tx) error {
				n, err := tx.Exec(c.harm)
				if err == nil && n == 0 {
					t.Error("did no harm")
				}
				return err
			}))
			close()
			b, close = openTest(t, dir, roomy)
			if d := b.Stats()[0].Damage; c.atOpen != (d != nil) || c.atOpen && d.Seq != c.seq {
				t.Errorf("at Open: %v", d)
			}
			got, err := b.Head(ctx, "a", 0, 10)
			if c.before > 0 {
				if diff := cmp.Diff(events[:c.before], got); diff != "" || err != nil {
					t.Fatalf("before the damage: %v %s", err, diff)
				}
				must(t, b.Delivered(ctx, "a", got[len(got)-1].Seq))
				got, err = b.Head(ctx, "a", 0, 10)
			}
			var d *DamageError
			if !errors.As(err, &d) || d.App != "a" || d.Seq != c.seq || len(got) > 0 {
				t.Fatalf("at the damage: %d events, %v", len(got), err)
			}
			if stat := b.Stats()[0]; stat.App != "a" || stat.Damage == nil {
				t.Errorf("Stats has %+v", stat)
			}
			if listed, err := b.List(ctx, "a", 0, 10); !errors.As(err, &d) {
				t.Errorf("List: %d events, %v", len(listed), err)
			}
			if n := len(head(t, b, "b", 1)); n != 1 {
				t.Error("the other app is held up")
			}
			mend(t, b, c.through, c.after)
			close()
			b, _ = openTest(t, dir, roomy)
			if stat := b.Stats()[0]; stat.Damage != nil || stat.Pending != c.after+1 {
				t.Errorf("opened again: %+v", stat)
			}
		})
	}
}

// mend drops the damage of app a; then n events are left and it takes new ones.
func mend(t *testing.T, b *Box, through uint64, n int) {
	t.Helper()
	_, err := b.Drop(context.Background(), "a", through)
	must(t, err)
	left := head(t, b, "a", 10)
	size := int64(0)
	for _, e := range left {
		size += int64(len(e.Payload))
	}
	stat := b.Stats()[0]
	if len(left) != n || stat.Pending != n || stat.Bytes != size || stat.Damage != nil {
		t.Errorf("%d events are left, and the queue is %+v, want %d", len(left), stat, n)
	}
	if e := enqueue(t, b, "a", 1)[0]; e.Seq != 6 {
		t.Errorf("the next event is number %d, want 6", e.Seq)
	}
	if got := head(t, b, "a", 10); len(got) != n+1 {
		t.Errorf("%d events, want %d", len(got), n+1)
	}
}

func TestABitFlippedInTheFileIsReported(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	b, close := openTest(t, dir, roomy)
	n := visit("a", 1)
	n.Payload = []byte(`{"marked": "NEEDLE"}`)
	_, err := b.Enqueue(ctx, visit("a", 1), n, visit("a", 3))
	must(t, err)
	close()
	path := filepath.Join(dir, "ehc.db")
	text, err := os.ReadFile(path)
	must(t, err)
	at := bytes.Index(text, []byte("NEEDLE"))
	text[at] ^= 1
	must(t, os.WriteFile(path, text, 0o600))
	b, _ = openTest(t, dir, roomy)
	if got := head(t, b, "a", 10); len(got) != 1 {
		t.Errorf("%d events before the damage, want 1", len(got))
	}
	must(t, b.Delivered(ctx, "a", 1))
	var d *DamageError
	if _, err := b.Head(ctx, "a", 0, 10); !errors.As(err, &d) || d.Seq != 2 {
		t.Errorf("got %v, want damage of event 2", err)
	}
}

func TestDropLeavesNoGapInTheNumbers(t *testing.T) {
	ctx := context.Background()
	b := newTest(t)
	enqueue(t, b, "a", 5)
	if n, err := b.Drop(ctx, "a", 2); n != 2 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	if n, err := b.Drop(ctx, "a", 1<<63); n != 3 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	if e := enqueue(t, b, "a", 1)[0]; e.Seq != 6 {
		t.Errorf("the next event is number %d, want 6", e.Seq)
	}
	if _, err := b.Drop(ctx, "nobody", 1); !errors.Is(err, ErrNotWaiting) {
		t.Errorf("got %v, want ErrNotWaiting", err)
	}
}
