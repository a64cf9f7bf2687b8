package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/disk/disktest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimEnv); dir != "" {
		victim(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var roomy = state.OutboxSpec{MaxEvents: 1_000_000, MaxBytes: 1 << 40, MaxDead: 1000, Remember: 1000}

// openTest opens a box over the store in dir; close closes the store.
func openTest(t testing.TB, dir string, limits state.OutboxSpec) (b *Box, close func()) {
	t.Helper()
	db, err := disk.Open(context.Background(), dir)
	must(t, err)
	b, err = Open(context.Background(), db, limits)
	if err != nil {
		db.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return b, func() { must(t, db.Close()) }
}

func newTest(t testing.TB) *Box {
	dir := t.TempDir()
	must(t, disktest.Ballast(dir))
	b, _ := openTest(t, dir, roomy)
	return b
}

// visit is a small event.
func visit(app string, n int) New {
	return New{App: app, Type: "increment_visit", Payload: json.RawMessage(fmt.Sprintf(`{"delta": %d}`, n))}
}

// enqueue enqueues n visits for an app, in one call for up to 1000.
func enqueue(t testing.TB, b *Box, app string, n int) (events []Event) {
	t.Helper()
	for n > 0 {
		var call []New
		for ; n > 0 && len(call) < MaxCall; n-- {
			call = append(call, visit(app, n))
		}
		out, err := b.Enqueue(context.Background(), call...)
		must(t, err)
		events = append(events, out...)
	}
	return events
}

func head(t testing.TB, b *Box, app string, n int) []Event {
	t.Helper()
	events, err := b.Head(context.Background(), app, 0, n)
	must(t, err)
	return events
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rapidDir is a folder of its own for one run of a property.
func rapidDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, disktest.Ballast(dir))
	return dir
}
