package outbox

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"ehc/state/disk"
)

// victimEnv makes this test binary a process that fills and drains the outbox
// in that folder until it is killed.
const victimEnv = "EHC_OUTBOX_TEST_DIR"

var victimApps = []string{"a", "b"}

// victim writes a line to standard output for each call that has returned, and
// for each Delivered before it is called:
//
//	enqueued app seq id
//	striking app seq
//	struck   app seq
func victim(dir string) {
	ctx := context.Background()
	db, err := disk.Open(ctx, dir)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	b, err := Open(ctx, db, roomy)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	var out sync.Mutex
	say := func(what, app string, seq uint64, id string) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(what, app, seq, id)
	}
	for producer := range 3 {
		go func() {
			for i := 0; ; i++ {
				for slices.ContainsFunc(b.Stats(), func(s Stat) bool { return s.Pending > MaxCall/2 }) {
					time.Sleep(time.Millisecond)
				}
				var call []New
				for j := range 1 + i%3 {
					n := visit(victimApps[(i+j)%len(victimApps)], i)
					n.Type = fmt.Sprintf("%d-%d", os.Getpid(), producer)
					call = append(call, n)
				}
				events, err := b.Enqueue(ctx, call...)
				if err != nil {
					fmt.Println("enqueue:", err)
					os.Exit(1)
				}
				for _, e := range events {
					say("enqueued", e.App, e.Seq, e.ID)
				}
			}
		}()
	}
	for i := 0; ; i++ {
		app := victimApps[i%len(victimApps)]
		events, err := b.Head(ctx, app, 0, 1+i%7)
		if err == nil && len(events) > 0 {
			last := events[len(events)-1].Seq
			say("striking", app, last, "-")
			err = b.Delivered(ctx, app, last)
			say("struck", app, last, "-")
		}
		if err != nil {
			fmt.Println("drain:", err)
			os.Exit(1)
		}
	}
}

// story is what killed processes have told of one app.
type story struct {
	ids              map[uint64]string // enqueued
	last             uint64            // the greatest of those
	striking, struck uint64
}

func TestNothingIsLostByAKill(t *testing.T) {
	dir := t.TempDir()
	stories := map[string]*story{}
	for _, app := range victimApps {
		stories[app] = &story{ids: map[uint64]string{}}
	}
	for range 30 {
		runAndKill(t, dir, stories)
		b, close := openTest(t, dir, roomy)
		if lost := b.db.Lost(); lost != 0 {
			t.Fatalf("%d commits lost", lost)
		}
		for app, s := range stories {
			inspect(t, b, app, s)
		}
		close()
	}
	for app, s := range stories {
		t.Logf("%s: %d events told of, struck out up to %d", app, len(s.ids), s.struck)
		if len(s.ids) == 0 || s.struck == 0 {
			t.Errorf("nothing was tried with %s: %d enqueued, struck out up to %d", app, len(s.ids), s.struck)
		}
	}
}

// runAndKill starts a victim, kills it when it has said so much, whatever it is at
// by then, and adds what it said to the stories.
func runAndKill(t *testing.T, dir string, stories map[string]*story) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Wait()
	said, enough := 0, 1+rand.N(80)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if said++; said == enough {
			cmd.Process.Kill()
		}
		var what, app, id string
		var seq uint64
		_, err := fmt.Sscan(lines.Text(), &what, &app, &seq, &id)
		s := stories[app]
		switch {
		case err != nil || s == nil:
			cmd.Process.Kill()
			t.Fatalf("the victim said %q", lines.Text())
		case what == "enqueued":
			if s.ids[seq] != "" {
				t.Errorf("%s: number %d was used twice", app, seq)
			}
			s.ids[seq], s.last = id, max(s.last, seq)
		case what == "striking":
			s.striking = seq
		case what == "struck":
			s.struck = seq
		}
	}
	if said < enough {
		t.Fatalf("the victim said only %d lines", said)
	}
}

// inspect compares an app's whole queue with its story.
func inspect(t *testing.T, b *Box, app string, s *story) {
	t.Helper()
	events := head(t, b, app, MaxCall) // a victim leaves fewer
	pending := 0
	for _, stat := range b.Stats() {
		if stat.App == app {
			pending = stat.Pending
		}
	}
	if pending != len(events) {
		t.Errorf("%s: %d events wait, Stats says %d", app, len(events), pending)
	}
	there := map[uint64]string{}
	producer := map[string]string{}
	for i, e := range events {
		there[e.Seq] = e.ID
		if e.Seq <= s.struck {
			t.Errorf("%s: event %d is back, struck out up to %d", app, e.Seq, s.struck)
		}
		if e.Seq != events[0].Seq+uint64(i) {
			t.Errorf("%s: event %d follows %d", app, e.Seq, events[i-1].Seq)
		}
		// One producer's ids are in the order in which it enqueued them.
		if e.ID <= producer[e.Type] {
			t.Errorf("%s: event %d, %s, is after %s", app, e.Seq, e.ID, producer[e.Type])
		}
		producer[e.Type] = e.ID
	}
	for seq, id := range s.ids {
		if got, ok := there[seq]; seq > s.striking && (!ok || got != id) {
			t.Errorf("%s: event %d, %s, is lost: found %q", app, seq, id, got)
		}
	}
}
