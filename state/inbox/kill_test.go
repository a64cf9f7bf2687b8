package inbox

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"ehc/state/disk"
)

// victimEnv makes this test binary a process that handles events in the inbox in
// that folder until it is killed.
const victimEnv = "EHC_INBOX_TEST_DIR"

const (
	victimEvents  = 4000
	victimCallers = 4
	victimPages   = 5
)

// victimEvent is event i of the story: some are numbered, some are not.
func victimEvent(i int) Event {
	e := visit(fmt.Sprint("e", i), fmt.Sprint("/", i%victimPages), int64(i%7-2))
	if i%3 == 0 {
		e.Source, e.Place = fmt.Sprint("s", i%victimCallers), Place{1, uint64(i + 1)}
	}
	return e
}

// victim handles all events from wherever it is told in turn, alone and in
// batches, and writes a line for each call that has returned: from and to.
func victim(dir string) {
	ctx := context.Background()
	db, err := disk.Open(ctx, dir)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	b := New(db, roomy)
	done := make(chan bool)
	for c := range victimCallers {
		go func() {
			defer func() { done <- true }()
			for i := c; i < victimEvents; {
				var call []Event
				from := i
				for range 1 + i%5 {
					if i < victimEvents {
						call = append(call, victimEvent(i))
						i += victimCallers
					}
				}
				if _, err := b.HandleAll(ctx, call); err != nil {
					fmt.Println("handle:", err)
					os.Exit(1)
				}
				fmt.Println("handled", from, i)
			}
		}()
	}
	for range victimCallers {
		<-done
	}
	fmt.Println("all handled")
	_ = db.Close()
}

// TestNothingIsCountedTwiceByAKill kills processes in the middle of handling; each
// begins again from the first event. Then everything is replayed.
func TestNothingIsCountedTwiceByAKill(t *testing.T) {
	dir := t.TempDir()
	told := map[int]bool{}
	for round := range 12 {
		runAndKill(t, dir, told)
		b, close := openTest(t, dir, roomy)
		if lost := b.db.Lost(); lost != 0 {
			t.Fatalf("%d commits lost", lost)
		}
		inspect(t, b, told, round)
		close()
	}
	t.Logf("%d of %d events were told of", len(told), victimEvents)
	if len(told) == 0 {
		t.Fatal("nothing was tried")
	}
	b, _ := openTest(t, dir, roomy)
	want := map[string]int64{}
	for from := 0; from < victimEvents; from += MaxCall {
		var call []Event
		for i := range MaxCall {
			e := victimEvent(from + i)
			call = append(call, e)
			want[e.Key] += e.Delta
		}
		_, err := b.HandleAll(context.Background(), call)
		must(t, err)
	}
	for key, n := range want {
		if got := count(t, b, "visits", key); got != n {
			t.Errorf("%s was visited %d times, want %d", key, got, n)
		}
	}
	if n := ids(t, b); n != victimEvents {
		t.Errorf("%d ids, want %d", n, victimEvents)
	}
}

// runAndKill starts a victim, kills it when it has said so much, whatever it is at
// by then, and notes what it said.
func runAndKill(t *testing.T, dir string, told map[int]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Wait()
	said, enough := 0, 1+rand.N(400)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said++; said == enough {
			cmd.Process.Kill()
		}
		var from, to int
		if lines.Text() == "all handled" {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "handled %d %d", &from, &to); err != nil {
			cmd.Process.Kill()
			t.Fatalf("the victim said %q", lines.Text())
		}
		for i := from; i < to; i += victimCallers {
			told[i] = true
		}
	}
	if said < enough {
		t.Fatalf("the victim said only %d lines", said)
	}
}

// inspect finds that what was told is remembered, and that the counters are the
// sums of exactly those events that are.
func inspect(t *testing.T, b *Box, told map[int]bool, round int) {
	t.Helper()
	want := map[string]int64{}
	must(t, b.db.View(context.Background(), func(tx *disk.Tx) error {
		for i := range victimEvents {
			e := victimEvent(i)
			known, err := remembered(tx, e.ID)
			if err != nil {
				return err
			}
			if known {
				want[e.Key] += e.Delta
			}
			if told[i] && !known {
				t.Errorf("round %d: event %d is lost", round, i)
			}
		}
		return nil
	}))
	for i := range victimPages {
		key := fmt.Sprint("/", i)
		if got := count(t, b, "visits", key); got != want[key] {
			t.Errorf("round %d: %s was visited %d times, but the ids come to %d", round, key, got, want[key])
		}
	}
}
